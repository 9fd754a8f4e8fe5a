// Trials that several members train together: the same bits as one alone.
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "tests/worker/support.h"
#include "tests/worker/threads_gang.h"
#include "worker/gang/lead.h"
#include "worker/state_bytes.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

using protocol::Epoch;
using protocol::Failed;
using protocol::Finished;
using protocol::Stopped;
using protocol::TrainerFailure;
using test::Messages;
using testing::HasSubstr;

class GangTraining : public testing::Test {
 protected:
  void SetUp() override {
    test::write_small_cifar10(temporary_.path() / "cifar-10-batches-bin", 5);
  }

  // Two epochs of steps of 7 images, the last one of an epoch of 4.
  protocol::Start images(const std::string& model, int shards, protocol::Json more = {}) const {
    protocol::Start start = test::small_choice_sets(1);
    start.task = "cifar10";
    start.data_dir = temporary_.path();
    start.parameters = {{"model", model},  {"optimizer", "adamw"}, {"weight_decay", 0.1},
                        {"epochs", 2},     {"batch", 7},           {"evaluation_batch", 2},
                        {"dropout", 0.3},  {"flip", true},         {"translate", 3},
                        {"shards", shards}};
    if (model == "resnet") start.parameters["depth"] = 8;
    if (!more.is_null()) start.parameters.update(more);
    return start;
  }

  struct Trained {
    std::vector<std::string> hashes;  // after each epoch
    std::vector<protocol::Metrics> metrics;
    friend bool operator==(const Trained&, const Trained&) = default;
  };

  // What each member of a gang has.
  std::vector<Trained> train(const protocol::Start& start, int members) {
    std::vector<Trained> all(static_cast<std::size_t>(members));
    test::in_gang(members, [&](Gang& gang) {
      DataCache data;
      const Attempt attempt(start);
      const Send ignore = [](const protocol::FromTrainer&) {};
      Progress progress(attempt, ignore);
      const Parameters parameters(start.task, start.parameters);
      at::set_num_threads(1);
      const auto training =
          find_task(start.task)
              .begin({start.task, parameters, start.seed, at::kCPU, start.data_dir, data});
      Trained& trained = all[static_cast<std::size_t>(gang.rank())];
      for (int epoch = 1; epoch <= training->epochs(); ++epoch) {
        trained.metrics.push_back(training->run_epoch(epoch, gang, progress));
        std::vector<at::Tensor> state = training->weights();
        for (const at::Tensor& tensor : training->optimizer_state()) state.push_back(tensor);
        trained.hashes.push_back(state_hash(bytes_of(state)));
        gang.agree("their state", trained.hashes.back());
      }
    });
    return all;
  }

  void expect_same_for_all_widths(const protocol::Start& start, const std::vector<int>& widths) {
    const Trained alone = train(start, 1)[0];
    for (const int width : widths)
      for (const Trained& member : train(start, width))
        EXPECT_EQ(member, alone) << width << " members";
  }

  test::TemporaryFolder temporary_;
};

class GangOfEachModel : public GangTraining, public testing::WithParamInterface<const char*> {};

TEST_P(GangOfEachModel, AnyWidthGivesTheSameBits) {
  if (std::string(GetParam()) == "resnet9")  // slow
    expect_same_for_all_widths(images("resnet9", 3, {{"steps_per_epoch", 1}}), {2, 3});
  else
    expect_same_for_all_widths(images(GetParam(), 4), {2, 3, 4});
}

INSTANTIATE_TEST_SUITE_P(All, GangOfEachModel,
                         testing::Values("cnn5x5", "cnn3", "resnet9", "resnet"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(GangOfEachModel, WithSynchronizedNormsToo) {
  if (std::string(GetParam()) == "resnet9")
    expect_same_for_all_widths(
        images("resnet9", 2, {{"steps_per_epoch", 1}, {"batch_norm", "synchronized"}}), {2});
  else
    expect_same_for_all_widths(images(GetParam(), 3, {{"batch_norm", "synchronized"}}), {2, 3});
}

// Over the whole batch they are those of a batch that isn't cut, up to rounding; by shard they
// aren't.
TEST_F(GangTraining, SynchronizedNormsAreThoseOfTheUncutBatch) {
  for (const char* model : {"cnn3", "resnet"}) {
    const auto loss = [&](int shards, const char* norm) {
      return train(images(model, shards, {{"batch_norm", norm}, {"batch", 9}}), 1)[0].metrics;
    };
    const auto whole = loss(1, "shard"), together = loss(3, "synchronized"),
               apart = loss(3, "shard");
    for (const std::size_t epoch : {0u, 1u})
      for (const char* metric : {"train_loss", "val_loss"}) {
        const double expected = whole[epoch].at(metric);
        EXPECT_NEAR(together[epoch].at(metric), expected, 2e-3 * expected) << model << metric;
      }
    EXPECT_GT(std::abs(apart[0].at("train_loss") - whole[0].at("train_loss")), 1e-2);
  }
}

TEST_F(GangTraining, SynchronizedNormsRefuseABatchOfFewerImagesThanShards) {
  try {
    train(images("cnn3", 5, {{"batch_norm", "synchronized"}}), 1);
    FAIL() << "the last batch has 4 images";
  } catch (const TrainerError& error) {
    EXPECT_EQ(error.kind, TrainerFailure::spec);
    EXPECT_THAT(error.what(), HasSubstr("4 images, fewer than the 5 shards"));
  }
}

TEST_F(GangTraining, ASchedulesRateAndClippingAreThoseOfTheWholeBatch) {
  expect_same_for_all_widths(images("resnet", 2,
                                    {{"schedule", "plateau"},
                                     {"plateau_metric", "learning_rate"},
                                     {"plateau_patience", 0},
                                     {"plateau_factor", 0.5},
                                     {"clip_norm", 0.1}}),
                             {2});
}

TEST_F(GangTraining, SetNetworksToo) {
  protocol::Start start = test::small_choice_sets(3);
  start.parameters["shards"] = 4;
  expect_same_for_all_widths(start, {2, 3, 4});
}

// A mean of the shards' means would weigh an image of a small shard more: 7 images in 4 shards are
// 1, 2, 2 and 2 of them.
TEST_F(GangTraining, ShardsAreTheWholeBatchUpToRounding) {
  const auto losses = [&](int shards) {  // cnn5x5 has no batch normalisation, which is by shard
    std::vector<double> losses;
    const Trained trained = train(
        images("cnn5x5", shards, {{"optimizer", "sgd"}, {"lr", 0.01}, {"steps_per_epoch", 2}}),
        1)[0];
    for (const auto& metrics : trained.metrics)
      for (const char* name : {"train_loss", "val_loss"}) losses.push_back(metrics.at(name));
    return losses;
  };
  const std::vector<double> whole = losses(1), shards = losses(4);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(shards[i] / whole[i], 1, 1e-4);
}

TEST_F(GangTraining, MembersThatDifferAreFound) {
  try {
    test::in_gang(2, [](Gang& gang) { gang.agree("this", std::to_string(gang.rank())); });
    FAIL() << "they agreed";
  } catch (const TrainerError& error) {
    EXPECT_EQ(error.kind, TrainerFailure::gang);
    EXPECT_THAT(error.what(), HasSubstr("differ in this"));
  }
}

TEST_F(GangTraining, AMemberThatDoesNotComeIsNoticedAtTheDeadline) {
  try {
    test::in_gang(
        2,
        [](Gang& gang) {
          const at::Tensor one = at::zeros({1});
          if (gang.rank() == 0) gang.sum(one);
        },
        std::chrono::milliseconds(500));
    FAIL() << "nothing was missed";
  } catch (const TrainerError& error) {
    EXPECT_EQ(error.kind, TrainerFailure::gang);
  }
}

// ---- a lead and helpers that come and go

class LeadAndHelpers : public GangTraining {
 protected:
  // A helper of the attempt, in a thread of its own.
  struct Helper {
    Helper(protocol::Start start, int port, int number)
        : attempt([&] {
            start.helping = protocol::Helping{"127.0.0.1:" + std::to_string(port), number};
            start.checkpoint_dir.clear();
            return start;
          }()),
          thread([this] {
            const Send send = messages.sender();
            run_attempt(attempt, send, data);
          }) {}
    ~Helper() { thread.join(); }

    DataCache data;
    Messages messages;
    Attempt attempt;
    std::thread thread;
  };

  // Waits until the key is in the lead's store.
  static void wait_for_key(int port, const std::string& key) {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    options.waitWorkers = false;
    c10d::TCPStore("127.0.0.1", options).wait({key}, std::chrono::seconds(30));
  }

  static std::vector<int> members(const Messages& messages) {
    std::vector<int> members;
    for (const Epoch& epoch : messages.of<Epoch>()) members.push_back(epoch.members);
    return members;
  }
};

TEST_F(LeadAndHelpers, HelpersComeAndGoBetweenEpochsAndChangeNoBit) {
  protocol::Start start = images("resnet", 3, {{"epochs", 5}});
  DataCache data;
  Messages alone;
  test::run(start, data, alone);

  start.widest_gang = 3;
  Attempt attempt(start);
  Messages together;
  std::vector<std::unique_ptr<Helper>> helpers;
  const auto add = [&](int number) {
    const int port = together.of<protocol::Started>().at(0).gang_port;
    helpers.push_back(std::make_unique<Helper>(start, port, number));
    wait_for_key(port, "here/" + std::to_string(number));
  };
  test::run_hooked(attempt, data, together, {}, [&](Training&, int epoch) {
    if (epoch == 1) add(1), attempt.set_gang({.helpers = {1}});
    if (epoch == 2) add(2), attempt.set_gang({.helpers = {1, 2}});
    if (epoch == 3) attempt.set_gang({.helpers = {2}});
  });
  helpers.clear();
  EXPECT_THAT(members(together), testing::ElementsAre(1, 2, 3, 2, 2));
  EXPECT_EQ(test::contents(together.of<Epoch>()), test::contents(alone.of<Epoch>()));
  ASSERT_EQ(together.of<Finished>().size(), 1u);
  EXPECT_EQ(together.of<Finished>()[0].result, alone.of<Finished>()[0].result);
  EXPECT_EQ(together.of<Finished>()[0].artefacts, alone.of<Finished>()[0].artefacts);
}

TEST_F(LeadAndHelpers, AHelperThatIsLostEndsTheAttemptForFree) {
  protocol::Start start = images("cnn3", 2, {{"epochs", 50}});
  start.widest_gang = 2;
  Attempt attempt(start);
  Messages messages;
  std::unique_ptr<Helper> helper;
  DataCache data;
  test::run_hooked(attempt, data, messages, {}, [&](Training&, int epoch) {
    if (epoch == 1) {
      const int port = messages.of<protocol::Started>().at(0).gang_port;
      helper = std::make_unique<Helper>(start, port, 1);
      wait_for_key(port, "here/1");
      attempt.set_gang({.helpers = {1}});
    }
    if (epoch == 3) helper->attempt.request = Request::abort;
  });
  ASSERT_EQ(messages.of<Failed>().size(), 1u);
  EXPECT_EQ(messages.of<Failed>()[0].kind, TrainerFailure::gang);
  EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr("a member of the gang is lost"));
}

TEST_F(LeadAndHelpers, AHelperThatIsAskedToStopLeavesAfterAnEpoch) {
  protocol::Start start = images("cnn3", 2, {{"epochs", 8}});
  start.widest_gang = 2;
  Attempt attempt(start);
  Messages messages;
  std::unique_ptr<Helper> helper;
  DataCache data;
  test::run_hooked(attempt, data, messages, {}, [&](Training&, int epoch) {
    const int port = messages.of<protocol::Started>().at(0).gang_port;
    if (epoch == 1) {
      helper = std::make_unique<Helper>(start, port, 1);
      wait_for_key(port, "here/1");
      attempt.set_gang({.helpers = {1}});
    }
    if (epoch == 3) helper->attempt.request = Request::stop;
  });
  helper->thread.join();
  helper->thread = std::thread([] {});
  // The lead hears of it before the fourth, the fifth or the sixth epoch.
  const std::vector<int> all = members(messages);
  EXPECT_EQ(std::vector(all.begin(), all.begin() + 3), (std::vector{1, 2, 2}));
  EXPECT_EQ(std::vector(all.begin() + 5, all.end()), (std::vector{1, 1, 1}));
  EXPECT_EQ(helper->messages.of<Stopped>().size(), 1u);
  EXPECT_EQ(messages.of<Finished>().size(), 1u);
}

// Something else waits for its slot.
TEST_F(LeadAndHelpers, AHelperThatIsTakenBackBeforeItCameIsSentAway) {
  protocol::Start start = images("cnn3", 2, {{"epochs", 4}});
  start.widest_gang = 2;
  Attempt attempt(start);
  Messages messages;
  std::unique_ptr<Helper> helper;
  DataCache data;
  test::run_hooked(attempt, data, messages, {}, [&](Training&, int epoch) {
    if (epoch == 1) {
      attempt.set_gang({.helpers = {1}});
      attempt.set_gang({});
    }
    if (epoch != 2) return;
    helper = std::make_unique<Helper>(start, messages.of<protocol::Started>().at(0).gang_port, 1);
    helper->thread.join();  // while the attempt goes on
    helper->thread = std::thread([] {});
  });
  EXPECT_EQ(members(messages), (std::vector{1, 1, 1, 1}));
  EXPECT_EQ(helper->messages.of<Stopped>().size(), 1u);
}

TEST_F(LeadAndHelpers, AHelperOfALeadThatIsGoneEnds) {
  protocol::Start start = images("cnn3", 2);
  int port = 0;
  std::unique_ptr<Helper> helper;
  {
    GangLead lead(2, at::kCPU, std::chrono::seconds(10));
    port = lead.port();
    helper = std::make_unique<Helper>(start, port, 1);
    wait_for_key(port, "here/1");
  }
  helper->thread.join();
  helper->thread = std::thread([] {});
  EXPECT_EQ(helper->messages.of<Stopped>().size(), 1u);
}

}  // namespace
}  // namespace windrow::worker
