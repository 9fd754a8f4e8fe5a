// Task cifar10 in the training loop, on small files of images.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/worker/support.h"
#include "worker/checkpoint/checkpoint.h"
#include "worker/checkpoint/trial_hash.h"

namespace windrow::worker {
namespace {

using protocol::Epoch;
using protocol::Failed;
using protocol::Finished;
using protocol::TrainerFailure;
using test::Messages;
using testing::HasSubstr;

class ImageTraining : public testing::Test {
 protected:
  void SetUp() override {
    test::write_small_cifar10(temporary_.path() / "cifar-10-batches-bin", 8);
  }

  protocol::Start start(const std::string& model, protocol::Json more = {}) const {
    protocol::Start start = test::small_choice_sets(1);
    start.task = "cifar10";
    start.data_dir = temporary_.path();
    start.parameters = {{"model", model},
                        {"optimizer", "adam"},
                        {"epochs", 3},
                        {"batch", 8},
                        {"steps_per_epoch", 2}};
    if (model == "resnet") start.parameters["depth"] = 8;
    if (!more.is_null()) start.parameters.update(more);
    return start;
  }

  // All messages of the trial, which must end well.
  const Messages& finished(const protocol::Start& start) {
    Messages& messages = kept_.emplace_back(std::make_unique<Messages>()).operator*();
    test::run(start, data_, messages);
    EXPECT_EQ(messages.of<Finished>().size(), 1u)
        << (messages.of<Failed>().empty() ? "" : messages.of<Failed>()[0].message);
    return messages;
  }

  // The same trial whole, and in two attempts, the first of `epoch` epochs.
  void expect_resume_is_exact(protocol::Start start, int epoch) {
    const Messages& whole = finished(start);
    start.checkpoint_dir = temporary_.path() / "trial";
    std::filesystem::remove_all(start.checkpoint_dir);
    Messages stopped;
    test::run_until(start, epoch, Request::stop, data_, stopped);
    EXPECT_TRUE(stopped.of<Finished>().empty());
    start.attempt = 2;
    Messages rest;
    test::run(start, data_, rest);
    ASSERT_EQ(rest.of<Finished>().size(), 1u);
    EXPECT_EQ(rest.of<protocol::Started>()[0].resumed_from_epoch, epoch);
    EXPECT_EQ(test::contents(rest.of<Epoch>()), test::contents(whole.of<Epoch>()));
    EXPECT_EQ(rest.of<Finished>()[0].result, whole.of<Finished>()[0].result);
    EXPECT_EQ(rest.of<Finished>()[0].artefacts, whole.of<Finished>()[0].artefacts);
  }

  test::TemporaryFolder temporary_;
  DataCache data_;
  std::vector<std::unique_ptr<Messages>> kept_;
};

class EachModel : public ImageTraining, public testing::WithParamInterface<const char*> {};

TEST_P(EachModel, ResumedGivesTheSameBits) {
  expect_resume_is_exact(start(GetParam(), {{"dropout", 0.25},
                                            {"optimizer", "adamw"},
                                            {"weight_decay", 0.1},
                                            {"decay", "weights"},
                                            {"clip_norm", 1.0},
                                            {"flip", true},
                                            {"translate", 2},
                                            {"rotate", 10},
                                            {"zoom", 0.1}}),
                         1);
}

// One weight of the first layer is enough: nothing between it and the loss may swallow a NaN.
TEST_P(EachModel, ANanIsATypedFailureInItsEpoch) {
  Messages messages;
  const auto spoil = [](Training& training, int epoch) {
    if (epoch == 2)
      training.weights()[0].mutable_data_ptr<float>()[30] = std::numeric_limits<float>::quiet_NaN();
  };
  test::run_hooked(Attempt(start(GetParam())), data_, messages, spoil, {});
  EXPECT_EQ(messages.of<Epoch>().size(), 1u);
  ASSERT_EQ(messages.of<Failed>().size(), 1u);
  EXPECT_EQ(messages.of<Failed>()[0].kind, TrainerFailure::nan);
  EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr("epoch 2"));
}

TEST_P(EachModel, LearnsToTellTheClasses) {
  const int count = std::string(GetParam()) == "resnet9" ? 3 : 6;  // it is quick to learn, but slow
  const auto epochs =
      finished(start(GetParam(), {{"epochs", count}, {"steps_per_epoch", 0}})).of<Epoch>();
  EXPECT_LT(epochs.back().metrics.at("train_loss"), 0.8 * epochs[0].metrics.at("train_loss"));
  EXPECT_LE(epochs.back().metrics.at("train_top5_error"),
            epochs.back().metrics.at("train_top1_error"));
}

INSTANTIATE_TEST_SUITE_P(All, EachModel, testing::Values("cnn5x5", "cnn3", "resnet9", "resnet"),
                         [](const auto& info) { return std::string(info.param); });

// Of versions whose tasks had fewer parameters, and which counted all of them, and the epochs.
TEST_F(ImageTraining, ACheckpointOfAnEarlierVersionIsUsed) {
  protocol::Start trial = start("cnn3", {{"epochs", 1}, {"dropout", 0.0}});  // the default
  trial.checkpoint_dir = temporary_.path() / "trial";
  finished(trial);
  const CheckpointFolder folder(trial.checkpoint_dir);
  for (const std::string& hash : earlier_trial_hashes(trial)) {
    Checkpoint checkpoint = folder.read(1, nullptr);
    ASSERT_NE(checkpoint.trial_hash, hash);
    checkpoint.trial_hash = hash;
    folder.write(checkpoint);
    trial.parameters["initialization"] = "own";
    EXPECT_EQ(finished(trial).of<protocol::Started>()[0].resumed_from_epoch, 1);
    trial.parameters["initialization"] = "he";
    EXPECT_THAT(earlier_trial_hashes(trial), testing::Not(testing::Contains(hash)));
  }
}

// Its confusion matrix is counted anew with what was restored: it is that of a trial which ended
// after the best epoch.
TEST_F(ImageTraining, TheBestWeightsComeWithTheirRunningStatistics) {
  test::write_small_cifar10(temporary_.path() / "more", 60);
  const auto confusion = [&](int epochs, bool stop_early) {
    protocol::Start trial = start("cnn3", {{"epochs", epochs}, {"lr", 0.01}});
    trial.data_dir = temporary_.path() / "more";
    // The rate is constant, so the first epoch stays the best one.
    if (stop_early)
      trial.early_stopping = protocol::EarlyStopping{"learning_rate", protocol::Goal::minimize, 2};
    const Finished end = finished(trial).of<Finished>()[0];
    EXPECT_EQ(end.epochs, stop_early ? 3 : epochs);
    return end.artefacts.at("confusion").at("counts");
  };
  const protocol::Json restored = confusion(8, true);
  EXPECT_EQ(restored, confusion(1, false));
  EXPECT_NE(restored, confusion(3, false));
}

TEST_F(ImageTraining, TheConfusionMatrixIsOfTheTestImages) {
  const Messages& messages = finished(start("cnn3", {{"epochs", 1}}));
  const Finished end = messages.of<Finished>()[0];
  const protocol::Json& confusion = end.artefacts.at("confusion");
  EXPECT_EQ(confusion.at("classes").size(), 10u);
  EXPECT_EQ(confusion.at("classes")[3], "cat");
  int right = 0;
  for (int row = 0; row < 10; ++row) {
    int images = 0;
    for (const auto& count : confusion.at("counts").at(static_cast<std::size_t>(row)))
      images += count.get<int>();
    EXPECT_EQ(images, row < 8 ? 1 : 0) << "eight test images, of classes 0 to 7";
    right += confusion["counts"][static_cast<std::size_t>(row)][static_cast<std::size_t>(row)]
                 .get<int>();
  }
  EXPECT_DOUBLE_EQ(end.result.at("val_top1_error"), 1 - right / 8.0);
}

TEST_F(ImageTraining, ValidationImagesAreHeldOutAndTheTestImagesLookedAtInTheEnd) {
  const protocol::Start held_out =
      start("cnn3", {{"validation_images", 5}, {"steps_per_epoch", 0}});
  const Messages& messages = finished(held_out);
  // Trained on the others, as if the files ended before.
  test::TemporaryFolder cut;
  test::write_small_cifar10(cut.path(), 8);
  std::filesystem::resize_file(cut.path() / "data_batch_5.bin", 3 * 3073);
  protocol::Start others = start("cnn3", {{"steps_per_epoch", 0}});
  others.data_dir = cut.path();
  const Messages& without = finished(others);
  const auto hash = [](const Messages& m) { return m.of<Epoch>().back().state_hash; };
  EXPECT_EQ(hash(messages), hash(without));
  const protocol::Metrics result = messages.of<Finished>()[0].result;
  const protocol::Metrics on_test = without.of<Finished>()[0].result;
  for (const char* metric : {"loss", "top1_error", "top5_error"})
    EXPECT_EQ(result.at(std::string("test_") + metric), on_test.at(std::string("val_") + metric));
  EXPECT_NE(result.at("val_loss"), on_test.at("val_loss"));
  EXPECT_FALSE(on_test.contains("test_loss"));
  EXPECT_EQ(messages.of<Finished>()[0].artefacts, without.of<Finished>()[0].artefacts)
      << "the confusion is that of the test images";
}

TEST_F(ImageTraining, SomethingIsLeftToTrainOn) {
  Messages messages;
  test::run(start("cnn3", {{"validation_images", 40}}), data_, messages);
  ASSERT_EQ(messages.of<Failed>().size(), 1u);
  EXPECT_EQ(messages.of<Failed>()[0].kind, TrainerFailure::spec);
  EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr("40 training images"));
}

TEST_F(ImageTraining, ATrialThatEndedGivesItsArtefactsAgain) {
  protocol::Start trial = start("cnn3", {{"epochs", 2}});
  trial.checkpoint_dir = temporary_.path() / "trial";
  const protocol::Json first = finished(trial).of<Finished>()[0].artefacts;
  trial.attempt = 2;
  const Messages& again = finished(trial);
  EXPECT_EQ(again.of<protocol::Started>()[0].resumed_from_epoch, 2);
  EXPECT_EQ(again.of<Finished>()[0].artefacts, first);
}

TEST_F(ImageTraining, ThePlateauScheduleLowersTheRateAndSurvivesAResume) {
  const protocol::Start trial = start("resnet", {{"schedule", "plateau"},
                                                 {"plateau_patience", 0},
                                                 {"plateau_factor", 0.5},
                                                 {"plateau_threshold", 0.9},
                                                 {"epochs", 4}});
  std::vector<double> rates;
  for (const Epoch& epoch : finished(trial).of<Epoch>())
    rates.push_back(epoch.metrics.at("learning_rate"));
  // No epoch is better by nine tenths than the first.
  EXPECT_THAT(rates, testing::ElementsAre(0.001, 0.001, 0.0005, 0.00025));
  expect_resume_is_exact(trial, 2);
}

TEST_F(ImageTraining, AConstantRateIsReportedAsItIs) {
  for (const Epoch& epoch : finished(start("cnn3", {{"lr", 0.01}})).of<Epoch>())
    EXPECT_EQ(epoch.metrics.at("learning_rate"), 0.01);
}

// With a rate too small to change a weight, only what is done to the images can change the loss.
TEST_F(ImageTraining, EveryAugmentationChangesTrainingAndNoneTheEvaluation) {
  const auto losses = [&](protocol::Json more) {
    more.update({{"optimizer", "sgd"}, {"lr", 1e-30}, {"epochs", 1}});
    const protocol::Metrics metrics = finished(start("cnn5x5", more)).of<Epoch>()[0].metrics;
    return std::pair(metrics.at("train_loss"), metrics.at("val_loss"));
  };
  const auto plain = losses(protocol::Json::object());
  for (const auto& [key, value] : {std::pair<std::string, protocol::Json>{"flip", true},
                                   {"translate", 3},
                                   {"rotate", 20},
                                   {"zoom", 0.3}}) {
    const auto augmented = losses({{key, value}});
    EXPECT_NE(augmented.first, plain.first) << key;
    EXPECT_EQ(augmented.second, plain.second) << key;
  }
}

}  // namespace
}  // namespace windrow::worker
