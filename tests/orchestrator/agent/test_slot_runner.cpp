#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "orchestrator/agent/local_host.h"
#include "orchestrator/agent/slot_runner.h"

namespace windrow {
namespace {

using namespace protocol;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class SlotRunnerTest : public testing::Test {
 protected:
  void use(std::vector<std::string> command, bool persistent = true, double hang_seconds = 0,
           double ready_seconds = 30) {
    slot::Settings machine{.slot = SlotId{3}};
    machine.trainer.command = std::move(command);
    machine.trainer.persistent = persistent;
    machine.trainer.ready_seconds = ready_seconds;
    machine.trainer.hang_seconds = hang_seconds;
    runner_ = std::make_unique<SlotRunner>(
        host_, SlotSettings{std::move(machine), {}}, [] { return Clock::now(); },
        [this](FromAgent message) { sent_.push_back(std::move(message)); },
        [](const std::string&, const std::string&) {});
  }

  void assign(int trial, Json parameters, int attempt = 1) {
    runner_->assign(
        {.trial = TrialId{trial}, .attempt = attempt, .parameters = std::move(parameters)});
  }

  // Runs the loop until a message of the type has come; fails after a while.
  template <class T>
  const T& wait_for(std::size_t count = 1) {
    const auto deadline = Clock::now() + 30s;
    while (Clock::now() < deadline) {
      std::size_t seen = 0;
      for (const FromAgent& message : sent_)
        if (const T* found = std::get_if<T>(&message))
          if (++seen == count) return *found;
      loop_.run_once(20ms);
      runner_->tick();
    }
    throw std::runtime_error("the message did not come");
  }
  template <class T>
  std::size_t count() const {
    std::size_t n = 0;
    for (const FromAgent& message : sent_) n += std::holds_alternative<T>(message) ? 1 : 0;
    return n;
  }

  EventLoop loop_;
  LocalHost host_{loop_};
  std::vector<FromAgent> sent_;
  std::unique_ptr<SlotRunner> runner_;
};

TEST_F(SlotRunnerTest, OneTrainerServesTrialAfterTrial) {
  use({FAKE_TRAINER});
  assign(1, {{"epochs", 2}});
  assign(2, {{"epochs", 1}});
  EXPECT_EQ(wait_for<AttemptFinished>(2).finished.trial, TrialId{2});
  EXPECT_EQ(count<TrainerReady>(), 1u);
  EXPECT_EQ(count<AttemptStarted>(), 2u);
  EXPECT_EQ(count<AttemptEpoch>(), 3u);
  EXPECT_TRUE(runner_->idle());
}

TEST_F(SlotRunnerTest, ACrashIsReportedWithSignalAndStderrAndTheNextTrialGetsANewTrainer) {
  use({FAKE_TRAINER});
  assign(1, {{"epochs", 3}, {"crash_epoch", 2}});
  assign(2, {{"epochs", 1}});
  const AttemptFailed failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.trial, TrialId{1});
  EXPECT_EQ(failed.kind, FailureKind::crash);
  EXPECT_EQ(failed.signal, SIGKILL);
  EXPECT_THAT(failed.stderr_tail, HasSubstr("about to crash"));
  EXPECT_EQ(wait_for<AttemptFinished>().finished.trial, TrialId{2});
  EXPECT_EQ(count<TrainerReady>(), 2u);
}

TEST_F(SlotRunnerTest, ATrainerThatCrashesAtStartFailsTheTrialBeforeItBegan) {
  use({FAKE_TRAINER, "--crash-at-start"});
  assign(1, {{"epochs", 1}});
  const AttemptFailed& failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.exit_code, 5);
  EXPECT_THAT(failed.message, HasSubstr("before it said ready"));
  EXPECT_THAT(failed.stderr_tail, HasSubstr("can't import torch"));
  EXPECT_EQ(count<AttemptStarted>(), 0u);
}

TEST_F(SlotRunnerTest, ALineThatIsTooLongIsToldWithTheLimit) {
  use({"sh", "-c",
       "head -c 70000000 /dev/zero | tr '\\0' x; echo; echo '{\"epoch\": 1, \"loss\": 1}'"},
      false);
  assign(1, {});
  EXPECT_EQ(wait_for<AttemptWarning>().text, "a line of more than 64 MiB");
  EXPECT_EQ(wait_for<AttemptFinished>().finished.epochs, 1);
}

TEST_F(SlotRunnerTest, AMissingTrainerFailsTheTrialWithItsName) {
  use({"/no/such/trainer"});
  assign(1, {{"epochs", 1}});
  EXPECT_EQ(wait_for<AttemptFailed>().message,
            "can't start /no/such/trainer: No such file or directory");
}

TEST_F(SlotRunnerTest, ATrainerThatNeverSaysReadyIsKilled) {
  use({FAKE_TRAINER, "--never-ready"}, true, 0, 0.1);
  assign(1, {{"epochs", 1}});
  EXPECT_THAT(wait_for<AttemptFailed>().message, HasSubstr("did not say ready"));
}

// Each trial for that reason, not the next one for the signal that ended the first one's process.
TEST_F(SlotRunnerTest, AnUnreadableReadyFailsTrialsAtOnceWithTheReason) {
  use({"sh", "-c", R"(echo '{"event": "ready", "versions": "1.2"}'; read line)"}, true, 0, 60);
  assign(1, {{"epochs", 1}});
  assign(2, {{"epochs", 1}});
  for (const int trial : {1, 2}) {
    const AttemptFailed& failed = wait_for<AttemptFailed>(static_cast<std::size_t>(trial));
    EXPECT_EQ(failed.trial, TrialId{trial});
    EXPECT_THAT(failed.message,
                AllOf(HasSubstr("before it was ready"), HasSubstr("ready.versions")));
  }
}

TEST_F(SlotRunnerTest, AHangIsKilledAndNamedSo) {
  use({FAKE_TRAINER}, true, 0.2);
  assign(1, {{"epochs", 2}, {"hang_epoch", 2}});
  const AttemptFailed& failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.kind, FailureKind::hang);
  EXPECT_EQ(count<AttemptEpoch>(), 1u);
}

TEST_F(SlotRunnerTest, BreakingTheProtocolEndsTheAttempt) {
  use({FAKE_TRAINER, "--chatty"});
  assign(1, {{"epochs", 2}, {"garbage_epoch", 2}});
  const AttemptFailed& failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.kind, FailureKind::crash);
  EXPECT_THAT(failed.message, HasSubstr("broke the line protocol: "));
}

TEST_F(SlotRunnerTest, WithdrawGivesBackWhatHasNotBegunOnly) {
  use({FAKE_TRAINER});
  assign(1, {{"epochs", 1}, {"epoch_ms", 50}});
  assign(2, {{"epochs", 1}});
  wait_for<AttemptStarted>();
  runner_->withdraw(TrialId{1}, 1);
  runner_->withdraw(TrialId{2}, 1);
  wait_for<AttemptFinished>();
  EXPECT_TRUE(runner_->idle());
  EXPECT_EQ(count<Withdrawn>(), 1u);
  EXPECT_EQ(wait_for<Withdrawn>().trial, TrialId{2});
}

TEST_F(SlotRunnerTest, StopEndsAfterTheEpochAndReturnsTheQueue) {
  use({FAKE_TRAINER});
  assign(1, {{"epochs", 1000}, {"epoch_ms", 20}});
  assign(2, {{"epochs", 1}});
  wait_for<AttemptEpoch>();
  runner_->stop(false);
  EXPECT_EQ(wait_for<AttemptFailed>().kind, FailureKind::preempted);
  EXPECT_EQ(wait_for<Withdrawn>().trial, TrialId{2});
  assign(3, {{"epochs", 1}});
  EXPECT_EQ(wait_for<Withdrawn>(2).trial, TrialId{3});
}

TEST_F(SlotRunnerTest, StopNowKills) {
  use({FAKE_TRAINER});
  assign(1, {{"epochs", 2}, {"hang_epoch", 2}});
  wait_for<AttemptEpoch>();
  runner_->stop(true);
  EXPECT_EQ(wait_for<AttemptFailed>().kind, FailureKind::preempted);
}

// ---- a process a trial

TEST_F(SlotRunnerTest, AProcessATrialGetsItsParametersAndItsLinesAreEpochs) {
  use({"sh", "-c",
       R"(loss=${1#--lr=}; echo "{\"epoch\": 1, \"loss\": $loss, \"seed\": $WINDROW_SEED}"; )"
       R"(echo done; echo "{\"result\": {\"loss\": $loss}}")",
       "sh"},
      false);
  runner_->assign({.trial = TrialId{1}, .parameters = {{"lr", 0.5}}, .seed = 7});
  const AttemptFinished& finished = wait_for<AttemptFinished>();
  EXPECT_EQ(finished.finished.epochs, 1);
  EXPECT_EQ(finished.finished.result, (Metrics{{"loss", 0.5}}));
  EXPECT_EQ(wait_for<AttemptEpoch>().epoch.metrics, (Metrics{{"loss", 0.5}, {"seed", 7}}));
}

TEST_F(SlotRunnerTest, AProcessThatFailsIsACrashWithItsExitCode) {
  use({"sh", "-c", "echo no data >&2; exit 3"}, false);
  assign(1, Json::object());
  const AttemptFailed& failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_THAT(failed.stderr_tail, HasSubstr("no data"));
}

TEST_F(SlotRunnerTest, AProcessIsStoppedEarlyAndItsBestEpochIsTheResult) {
  use({"sh", "-c",
       R"(for loss in 3 1 2 2; do echo "{\"epoch\": $((e=e+1)), \"loss\": $loss}"; done; )"
       R"(exec sleep 1000)"},
      false);
  runner_->assign({.trial = TrialId{1},
                   .parameters = Json::object(),
                   .early_stopping = EarlyStopping{"loss", Goal::minimize, 2, 0, true}});
  const AttemptFinished& finished = wait_for<AttemptFinished>();
  EXPECT_EQ(finished.finished.epochs, 4);
  EXPECT_EQ(finished.finished.result_epoch, 2);
}

TEST_F(SlotRunnerTest, AProcessGetsSigtermOnStop) {
  use({"sh", "-c", R"(echo '{"epoch": 1, "loss": 1}'; exec sleep 1000)"}, false);
  assign(1, Json::object());
  wait_for<AttemptEpoch>();
  runner_->stop(false);
  const AttemptFailed& failed = wait_for<AttemptFailed>();
  EXPECT_EQ(failed.kind, FailureKind::preempted);
  EXPECT_EQ(failed.signal, SIGTERM);
}

// What is recorded may lie ahead of a folder that is not shared, or was lost.
TEST_F(SlotRunnerTest, WithoutCheckpointsThereIsNothingToGoOnFrom) {
  char folder[] = "/tmp/windrow-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string dir = std::string(folder) + "/trial-1";
  use({"sh", "-c",
       R"(echo "{\"epoch\": $((WINDROW_RESUME + 1))}"; touch $WINDROW_CHECKPOINT_DIR/x)"},
      false);
  const Start start{.trial = TrialId{1},
                    .parameters = Json::object(),
                    .checkpoint_dir = dir,
                    .committed_epochs = 4};
  runner_->assign(start);
  EXPECT_EQ(wait_for<AttemptEpoch>().epoch.epoch, 1);
  EXPECT_EQ(wait_for<AttemptStarted>().started.resumed_from_epoch, 0);
  wait_for<AttemptFinished>();
  runner_->assign(start);
  EXPECT_EQ(wait_for<AttemptEpoch>(2).epoch.epoch, 5);
  EXPECT_EQ(wait_for<AttemptStarted>(2).started.resumed_from_epoch, 4);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace windrow
