#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/lines.h"
#include "tests/worker/support.h"
#include "worker/checkpoint/checkpoint.h"

namespace windrow::worker {
namespace {

using protocol::Epoch;
using protocol::Failed;
using protocol::Finished;
using protocol::Started;
using protocol::TrainerFailure;
using test::Messages;
using testing::ElementsAre;
using testing::HasSubstr;

class TrainingLoop : public testing::Test {
 protected:
  // Runs the trial until `request` after an epoch.
  void interrupt(const protocol::Start& start, int epoch, Request request, Messages& messages) {
    test::run_until(start, epoch, request, data_, messages);
    EXPECT_TRUE(messages.of<Finished>().empty());
  }

  void stop_after(const protocol::Start& start, int epoch) {
    Messages messages;
    interrupt(start, epoch, Request::stop, messages);
    EXPECT_EQ(messages.of<protocol::Stopped>().size(), 1u);
    // Everything that was trained is durable and sent.
    EXPECT_EQ(messages.of<Epoch>().back().epoch, epoch);
    EXPECT_EQ(CheckpointFolder(start.checkpoint_dir).epochs().front(), epoch);
  }

  std::string folder() const { return temporary_.path().string() + "/trial"; }

  test::TemporaryFolder temporary_;
  DataCache data_;
};

// Trains the trial undisturbed, then again in two attempts; everything must be the same bits.
void expect_resume_is_exact(protocol::Start start, const std::string& folder, int resumed_from,
                            DataCache& data,
                            const std::function<void(const protocol::Start&)>& interrupt) {
  Messages whole;
  test::run(start, data, whole);
  ASSERT_EQ(whole.of<Finished>().size(), 1u);
  const auto expected = test::contents(whole.of<Epoch>());

  start.checkpoint_dir = folder;
  interrupt(start);
  start.attempt = 2;
  Messages rest;
  test::run(start, data, rest);
  ASSERT_EQ(rest.of<Started>().size(), 1u);
  EXPECT_EQ(rest.of<Started>()[0].resumed_from_epoch, resumed_from);
  EXPECT_EQ(test::contents(rest.of<Epoch>()), expected);
  ASSERT_EQ(rest.of<Finished>().size(), 1u);
  EXPECT_EQ(rest.of<Finished>()[0].result, whole.of<Finished>()[0].result);
  EXPECT_EQ(rest.of<Finished>()[0].epochs, whole.of<Finished>()[0].epochs);
  EXPECT_EQ(rest.of<Finished>()[0].artefacts, whole.of<Finished>()[0].artefacts);
  for (const Epoch& epoch : rest.of<Epoch>()) EXPECT_EQ(epoch.attempt, 2);
}

TEST_F(TrainingLoop, AResumedTrialGivesTheSameBits) {
  for (const int epoch : {1, 3, 7})
    expect_resume_is_exact(test::small_choice_sets(9), folder() + std::to_string(epoch), epoch,
                           data_, [&](const protocol::Start& s) { stop_after(s, epoch); });
}

TEST_F(TrainingLoop, AResumedTrialWithEarlyStoppingGivesTheSameBits) {
  protocol::Start start = test::small_choice_sets(40);
  start.parameters["lr"] = 0.05;
  start.early_stopping = protocol::EarlyStopping{"val_mse", protocol::Goal::minimize, 4};
  expect_resume_is_exact(start, folder(), 3, data_,
                         [&](const protocol::Start& s) { stop_after(s, 3); });
}

TEST_F(TrainingLoop, AResumedImageTrialWithDropoutGivesTheSameBits) {
  test::write_small_cifar10(temporary_.path() / "cifar-10-batches-bin", 8);
  protocol::Start start = test::small_choice_sets(1);
  start.task = "cifar10";
  start.data_dir = temporary_.path();
  start.parameters = {{"model", "cnn5x5"}, {"optimizer", "adam"},  {"epochs", 3},
                      {"batch", 8},        {"steps_per_epoch", 2}, {"dropout", 0.25}};
  expect_resume_is_exact(start, folder(), 1, data_,
                         [&](const protocol::Start& s) { stop_after(s, 1); });
}

TEST_F(TrainingLoop, AnAbortedTrialGoesOnFromWhatWasDurable) {
  protocol::Start start = test::small_choice_sets(8);
  Messages whole;
  test::run(start, data_, whole);
  start.checkpoint_dir = folder();
  stop_after(start, 2);
  start.attempt = 2;
  Messages aborted;
  interrupt(start, 5, Request::abort, aborted);
  EXPECT_TRUE(aborted.of<Failed>().empty());
  start.attempt = 3;
  Messages rest;
  test::run(start, data_, rest);
  EXPECT_GE(rest.of<Started>()[0].resumed_from_epoch, 2);
  EXPECT_EQ(test::contents(rest.of<Epoch>()), test::contents(whole.of<Epoch>()));
}

TEST_F(TrainingLoop, OnlyWhatTheDatabaseLacksIsSentAgain) {
  protocol::Start start = test::small_choice_sets(5);
  start.checkpoint_dir = folder();
  Messages first;
  test::run(start, data_, first);
  start.attempt = 2;
  start.committed_epochs = 3;
  Messages second;
  test::run(start, data_, second);
  EXPECT_EQ(second.of<Started>()[0].resumed_from_epoch, 5);
  std::vector<int> sent;
  for (const Epoch& epoch : second.of<Epoch>()) sent.push_back(epoch.epoch);
  EXPECT_THAT(sent, ElementsAre(4, 5));
  EXPECT_EQ(second.of<Epoch>()[1].checkpoint, "epoch-5.ckpt");
  EXPECT_EQ(second.of<Epoch>()[1].checkpoint_hash, first.of<Epoch>().back().checkpoint_hash);
  EXPECT_EQ(second.of<Finished>()[0].result, first.of<Finished>()[0].result);
}

// The curve on record is then of the attempt that the result is of, and its run is seen to go on.
TEST_F(TrainingLoop, WhatIsTrainedAgainIsSentAgain) {
  const auto expect_sent = [&](const protocol::Start& start, std::vector<int> epochs,
                               const std::string& warning) {
    Messages messages;
    test::run(start, data_, messages);
    std::vector<int> sent;
    for (const Epoch& epoch : messages.of<Epoch>()) sent.push_back(epoch.epoch);
    EXPECT_EQ(sent, epochs);
    ASSERT_EQ(messages.of<protocol::Log>().size(), 1u);
    EXPECT_THAT(messages.of<protocol::Log>()[0].text, HasSubstr(warning));
  };
  protocol::Start start = test::small_choice_sets(5);
  start.checkpoint_dir = folder();
  start.committed_epochs = 4;
  expect_sent(start, {1, 2, 3, 4, 5}, "epochs on record in " + folder() + ": they are trained");
  std::filesystem::remove_all(folder());
  stop_after(start, 2);
  start.attempt = 2;
  expect_sent(start, {1, 2, 3, 4, 5}, " but of epoch 2: those after it are trained again");
}

TEST_F(TrainingLoop, ADamagedCheckpointIsReportedAndTheOneBeforeUsed) {
  protocol::Start start = test::small_choice_sets(6);
  Messages whole;
  test::run(start, data_, whole);
  start.checkpoint_dir = folder();
  stop_after(start, 1);
  start.attempt = 2;
  stop_after(start, 2);
  const CheckpointFolder checkpoints(folder());
  ASSERT_EQ(checkpoints.epochs().size(), 2u);
  const int newest = checkpoints.epochs()[0], before = checkpoints.epochs()[1];
  std::fstream file(std::filesystem::path(folder()) / checkpoint_name(newest),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(300);
  file.put('?');
  file.close();
  start.attempt = 3;
  Messages rest;
  test::run(start, data_, rest);
  ASSERT_EQ(rest.of<protocol::Log>().size(), 1u);
  EXPECT_EQ(rest.of<protocol::Log>()[0].level, "warning");
  EXPECT_THAT(rest.of<protocol::Log>()[0].text, HasSubstr(checkpoint_name(newest)));
  EXPECT_EQ(rest.of<Started>()[0].resumed_from_epoch, before);
  EXPECT_EQ(test::contents(rest.of<Epoch>()), test::contents(whole.of<Epoch>()));
}

// One epoch was durable, but not on record, when the run was ended.
TEST_F(TrainingLoop, ACheckpointBeyondALoweredBudgetIsNotUsed) {
  protocol::Start start = test::small_choice_sets(9);
  start.checkpoint_dir = folder();
  const CheckpointFolder checkpoints(start.checkpoint_dir);
  stop_after(start, 3);
  const Checkpoint third = checkpoints.read(3, nullptr);
  stop_after(start, 4);
  std::filesystem::remove(std::filesystem::path(start.checkpoint_dir) / checkpoint_name(3));
  checkpoints.write(third);
  EXPECT_THAT(checkpoints.epochs(), ElementsAre(4, 3));
  start.attempt = 2;
  start.committed_epochs = 3;
  start.parameters["epochs"] = 3;
  Messages rest, whole;
  test::run(start, data_, rest);
  EXPECT_EQ(rest.of<Started>()[0].resumed_from_epoch, 3);
  test::run(test::small_choice_sets(3), data_, whole);
  ASSERT_EQ(rest.of<Finished>().size(), 1u);
  EXPECT_EQ(rest.of<Finished>()[0].epochs, 3);
  EXPECT_EQ(rest.of<Finished>()[0].result, whole.of<Finished>()[0].result);
}

TEST_F(TrainingLoop, ACheckpointOfOtherParametersIsNotUsed) {
  protocol::Start start = test::small_choice_sets(2);
  start.checkpoint_dir = folder();
  Messages first, second;
  test::run(start, data_, first);
  start.parameters["lr"] = 0.01;
  test::run(start, data_, second);
  EXPECT_EQ(second.of<Started>()[0].resumed_from_epoch, 0);
  EXPECT_THAT(second.of<protocol::Log>()[0].text, HasSubstr("other parameters"));
  EXPECT_NE(second.of<Epoch>()[0].state_hash, first.of<Epoch>()[0].state_hash);
}

TEST_F(TrainingLoop, EarlyStoppingEndsTheTrialWithTheBestWeights) {
  protocol::Start start = test::small_choice_sets(200);
  start.parameters["lr"] = 0.05;  // restless, so that the best epoch is not the last
  start.early_stopping = protocol::EarlyStopping{"val_mse", protocol::Goal::minimize, 3};
  Messages messages;
  test::run(start, data_, messages);
  const auto epochs = messages.of<Epoch>();
  const Finished finished = messages.of<Finished>().at(0);
  const auto best =
      std::min_element(epochs.begin(), epochs.end(), [](const auto& a, const auto& b) {
        return a.metrics.at("val_mse") < b.metrics.at("val_mse");
      });
  EXPECT_LT(epochs.size(), 200u);
  EXPECT_EQ(finished.epochs, best->epoch + 3);
  EXPECT_EQ(finished.result.at("best_epoch"), best->epoch);
  // Evaluated anew with the restored weights: the same number, and not the last epoch's.
  EXPECT_EQ(finished.result.at("val_mse"), best->metrics.at("val_mse"));
  EXPECT_NE(finished.result.at("val_mse"), epochs.back().metrics.at("val_mse"));

  start.early_stopping->restore_best = false;
  Messages last;
  test::run(start, data_, last);
  EXPECT_EQ(last.of<Finished>()[0].result.at("val_mse"), epochs.back().metrics.at("val_mse"));
  EXPECT_EQ(last.of<Finished>()[0].result.at("best_epoch"), epochs.back().epoch);
}

TEST_F(TrainingLoop, TheOptimizerUpdatesTheModelThatIsTrained) {
  Messages messages;
  test::run(test::small_choice_sets(15), data_, messages);
  const auto epochs = messages.of<Epoch>();
  EXPECT_LT(epochs.back().metrics.at("train_mse"), 0.7 * epochs.front().metrics.at("train_mse"));
  EXPECT_NE(epochs[0].state_hash, epochs[1].state_hash);
  EXPECT_EQ(messages.of<Started>()[0].info.at("parameters"), 55);
  EXPECT_TRUE(messages.of<Finished>()[0].result.contains("test_mse"));
}

TEST_F(TrainingLoop, SeedsGiveOtherTrialsAndTheSameSeedTheSame) {
  protocol::Start start = test::small_choice_sets(2);
  Messages first, again, other;
  test::run(start, data_, first);
  test::run(start, data_, again);
  start.seed = 4;
  test::run(start, data_, other);
  EXPECT_EQ(test::contents(first.of<Epoch>()), test::contents(again.of<Epoch>()));
  EXPECT_NE(test::contents(first.of<Epoch>()), test::contents(other.of<Epoch>()));
}

TEST_F(TrainingLoop, AnExplodingLossIsANanFailureAfterTheEpochsBefore) {
  protocol::Start start = test::small_choice_sets(3);
  start.parameters["lr"] = 1e30;
  Messages messages;
  test::run(start, data_, messages);
  ASSERT_EQ(messages.of<Failed>().size(), 1u);
  EXPECT_EQ(messages.of<Failed>()[0].kind, TrainerFailure::nan);
  EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr("epoch 1"));
  EXPECT_TRUE(messages.of<Finished>().empty());
}

TEST_F(TrainingLoop, RefusesWhatItCannotTrain) {
  const auto failure = [&](const std::function<void(protocol::Start&)>& change) {
    protocol::Start start = test::small_choice_sets(2);
    change(start);
    Messages messages;
    test::run(start, data_, messages);
    EXPECT_EQ(messages.all().size(), 1u);
    return messages.of<Failed>().at(0);
  };
  const auto expect_spec = [&](const auto& change, const std::string& word) {
    const Failed failed = failure(change);
    EXPECT_EQ(failed.kind, TrainerFailure::spec) << failed.message;
    EXPECT_THAT(failed.message, HasSubstr(word));
  };
  expect_spec([](auto& s) { s.task = "nothing"; }, "choice-sets");
  expect_spec([](auto& s) { s.parameters["widht"] = 3; }, "width");
  expect_spec([](auto& s) { s.parameters["lr"] = "fast"; }, "lr");
  expect_spec([](auto& s) { s.parameters.erase("width"); }, "width");
  expect_spec([](auto& s) { s.device = "tpu"; }, "tpu");
  expect_spec([](auto& s) { s.threads = 0; }, "threads");
  expect_spec([](auto& s) { s.early_stopping = protocol::EarlyStopping{"accuracy"}; }, "val_mse");
  const Failed no_data = failure([](auto& s) {
    s.task = "cifar10";
    s.data_dir = "/nonexistent";
    s.parameters = {{"model", "cnn5x5"}, {"optimizer", "sgd"}, {"epochs", 1}};
  });
  EXPECT_EQ(no_data.kind, TrainerFailure::data);
}

TEST_F(TrainingLoop, AnAbortedAttemptSaysNothingMore) {
  Messages messages;
  interrupt(test::small_choice_sets(1000000), 1, Request::abort, messages);
  EXPECT_EQ(messages.of<Epoch>().size(), 1u);
  EXPECT_TRUE(messages.of<Failed>().empty());
}

// With steps too small to change a weight, losses differ only by the images that were used.
TEST_F(TrainingLoop, EachEpochUsesOtherImages) {
  test::write_small_cifar10(temporary_.path() / "cifar-10-batches-bin", 8);
  protocol::Start start = test::small_choice_sets(1);
  start.task = "cifar10";
  start.data_dir = temporary_.path();
  start.parameters = {{"model", "cnn5x5"}, {"optimizer", "sgd"},   {"epochs", 3},
                      {"batch", 8},        {"steps_per_epoch", 1}, {"lr", 1e-30}};
  Messages messages;
  test::run(start, data_, messages);
  const auto epochs = messages.of<Epoch>();
  EXPECT_EQ(epochs[0].metrics.at("val_loss"), epochs[2].metrics.at("val_loss"));
  EXPECT_NE(epochs[0].metrics.at("train_loss"), epochs[1].metrics.at("train_loss"));
  EXPECT_NE(epochs[1].metrics.at("train_loss"), epochs[2].metrics.at("train_loss"));
}

TEST_F(TrainingLoop, TestImagesAreNotTrainedOn) {
  protocol::Start start = test::small_choice_sets(1);
  start.task = "cifar10";
  start.parameters = {{"model", "cnn5x5"},
                      {"optimizer", "nesterov"},
                      {"epochs", 1},
                      {"batch", 8},
                      {"steps_per_epoch", 2}};
  std::vector<Epoch> epochs;
  for (const unsigned char noise : {0, 5}) {
    const std::filesystem::path folder = temporary_.path() / std::to_string(noise);
    test::write_small_cifar10(folder / "cifar-10-batches-bin", 8, noise);
    start.data_dir = folder;
    Messages messages;
    test::run(start, data_, messages);
    epochs.push_back(messages.of<Epoch>().at(0));
  }
  EXPECT_EQ(epochs[0].state_hash, epochs[1].state_hash);
  EXPECT_EQ(epochs[0].metrics["train_loss"], epochs[1].metrics["train_loss"]);
  EXPECT_NE(epochs[0].metrics["val_loss"], epochs[1].metrics["val_loss"]);
}

TEST_F(TrainingLoop, EveryOptimizerLearnsToTellTheClasses) {
  test::write_small_cifar10(temporary_.path() / "cifar-10-batches-bin", 20);
  protocol::Start start = test::small_choice_sets(1);
  start.task = "cifar10";
  start.data_dir = temporary_.path();
  for (const char* optimizer : {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}) {
    start.parameters = {
        {"model", "cnn5x5"}, {"optimizer", optimizer}, {"epochs", 3}, {"batch", 10}};
    Messages messages;
    test::run(start, data_, messages);
    const auto epochs = messages.of<Epoch>();
    ASSERT_EQ(epochs.size(), 3u) << optimizer;
    EXPECT_LT(epochs[2].metrics.at("train_loss"), epochs[0].metrics.at("train_loss")) << optimizer;
    EXPECT_LE(epochs[2].metrics.at("val_top5_error"), epochs[2].metrics.at("val_top1_error"));
  }
}

}  // namespace
}  // namespace windrow::worker
