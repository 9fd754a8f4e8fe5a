#include <filesystem>

#include "tests/orchestrator/process/guarded_test.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GuardLockTest : public GuardedTest {
 protected:
  GuardLockTest() {
    std::string pattern = testing::TempDir() + "guard-lock-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    lock_.file = folder_ / "checkpoints" / "study" / ".windrow-locks";  // not there yet
  }
  ~GuardLockTest() override { std::filesystem::remove_all(folder_); }

  // Writes what it is told to `told`.
  static ChildEvents record(std::vector<std::string>& told) {
    return {.on_started = [&told] { told.push_back("started"); },
            .on_lock =
                [&told](LockState state, const std::string& detail) {
                  told.push_back(state == LockState::waiting ? "waiting for " + detail
                                 : state == LockState::held  ? "held"
                                                             : "impossible: " + detail);
                }};
  }

  std::filesystem::path folder_;
  LockPlace lock_{"", 7};
};

TEST_F(GuardLockTest, AnAttemptBeginsWhenTheProcessesOfTheOneBeforeAreGone) {
  std::vector<std::string> first_told, second_told;
  // Its trainer ends, but a helper is stopped; only the guard's SIGKILL can end that.
  auto first =
      start(shell("echo $PPID; setsid sleep 1000 & echo $!; wait", lock_), record(first_told));
  const std::vector<pid_t> processes = pids(2);
  EXPECT_THAT(first_told, ElementsAre("held", "started"));
  out_.clear();
  auto second = start(shell("echo second", lock_), record(second_told));
  run_until("word of the lock", [&] { return !second_told.empty(); });
  EXPECT_THAT(second_told[0], HasSubstr("process " + std::to_string(processes[0])));
  EXPECT_EQ(second->pid(), -1);
  EXPECT_FALSE(has_ended(processes[1]));
  kill(processes[0], SIGSTOP);  // the first one's agent goes, its guard does not come to act
  first.reset();
  for (int i = 0; i < 20; ++i) loop_.run_once(std::chrono::milliseconds(5));
  EXPECT_THAT(out_, IsEmpty());
  kill(processes[0], SIGCONT);
  EXPECT_EQ(wait(*second).code, 0);
  EXPECT_TRUE(has_ended(processes[1]));
  EXPECT_THAT(out_, ElementsAre("second"));
  EXPECT_THAT(second_told, ElementsAre(HasSubstr("waiting"), "held", "started"));
}

TEST_F(GuardLockTest, TheLockGoesWithTheAttemptThoughTheGuardStays) {
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> told;
    EXPECT_EQ(wait(*start(shell("exit 4", lock_), record(told))).code, 4);
    EXPECT_THAT(told, ElementsAre("held", "started"));
  }
  GuardPool others(loop_);
  std::vector<std::string> told;
  ChildProcess child(others, shell("exit 4", lock_), record(told));
  wait(child);
  EXPECT_THAT(told, ElementsAre("held", "started"));
}

TEST_F(GuardLockTest, APersistentTrainerTakesTheLockForEachAttempt) {
  std::vector<std::string> told, other_told;
  auto trainer = start(shell("while read line; do :; done"), record(told));
  run_until("the start", [&] { return told.size() == 1; });
  EXPECT_TRUE(trainer->lock(lock_));
  auto other = start(shell("exit 0", lock_), record(other_told));
  run_until("word of the lock", [&] { return other_told.size() == 1; });
  trainer->unlock();
  EXPECT_EQ(wait(*other).code, 0);
  EXPECT_THAT(other_told, ElementsAre(HasSubstr("waiting"), "held", "started"));
  EXPECT_TRUE(trainer->lock(lock_));
  EXPECT_THAT(told, ElementsAre("started"));
}

TEST_F(GuardLockTest, APersistentTrainerWaitsForAnothersLock) {
  std::vector<std::string> told;
  auto other = start(shell("echo $$; sleep 1000", lock_));
  pids(1);
  auto trainer = start(shell("while read line; do :; done"), record(told));
  EXPECT_FALSE(trainer->lock(lock_));
  run_until("word of the lock", [&] { return told.size() == 2; });
  EXPECT_THAT(told[1], HasSubstr("waiting"));
  other.reset();
  run_until("the lock", [&] { return told.size() == 3; });
  trainer->unlock();
  auto next = start(shell("exit 0", lock_));
  EXPECT_EQ(wait(*next).code, 0);
}

// The agent that took it is gone, but what it started runs on for a moment.
TEST_F(GuardLockTest, APersistentTrainersLockIsHeldUntilItsProcessesAreGone) {
  std::vector<std::string> told;
  auto trainer = start(shell("echo $PPID; echo $$; while read line; do :; done"));
  const std::vector<pid_t> processes = pids(2);
  EXPECT_TRUE(trainer->lock(lock_));
  loop_.run_once(std::chrono::milliseconds(10));
  kill(processes[0], SIGSTOP);
  trainer.reset();
  auto next = start(shell("exit 0", lock_), record(told));
  run_until("word of the lock", [&] { return told.size() == 1; });
  EXPECT_THAT(told[0], HasSubstr("waiting for"));
  EXPECT_THAT(told[0], HasSubstr("process " + std::to_string(processes[0])));
  kill(processes[0], SIGCONT);
  EXPECT_EQ(wait(*next).code, 0);
  EXPECT_TRUE(has_ended(processes[1]));
}

TEST_F(GuardLockTest, ASignalEndsTheWaitOfWhatHasNotStarted) {
  std::vector<std::string> told;
  auto first = start(shell("echo $$; sleep 1000", lock_));
  pids(1);
  auto second = start(shell("echo never", lock_), record(told));
  run_until("word of the lock", [&] { return told.size() == 1; });
  second->signal(SIGTERM);
  EXPECT_EQ(wait(*second).signal, SIGTERM);
  EXPECT_EQ(out_.size(), 1u);
}

TEST_F(GuardLockTest, WithoutLocksItGoesOnAndSaysSo) {
  std::vector<std::string> told;
  EXPECT_EQ(wait(*start(shell("exit 4", {"/proc/nowhere/lock", 1}), record(told))).code, 4);
  EXPECT_THAT(told, ElementsAre("impossible: No such file or directory", "started"));
}

TEST_F(GuardLockTest, OtherTrialsAreNotKeptWaiting) {
  auto first = start(shell("echo $$; sleep 1000", lock_));
  pids(1);
  for (const int trial : {0, 6, 8, 1'000'000}) {
    std::vector<std::string> told;
    wait(*start(shell("exit 0", {lock_.file, trial}), record(told)));
    EXPECT_THAT(told, ElementsAre("held", "started")) << trial;
  }
}

// Whoever removes the folder of a trial that is over must not leave two attempts with a lock each.
TEST_F(GuardLockTest, ARemovedLockFileIsMadeAnew) {
  auto first = start(shell("echo $$; sleep 1000", lock_));
  pids(1);
  std::filesystem::remove(lock_.file);
  std::vector<std::string> second_told, third_told;
  auto second = start(shell("echo $$; sleep 1000", lock_), record(second_told));
  pids(2);
  auto third = start(shell("echo $$; sleep 1000", lock_), record(third_told));
  run_until("word of the lock", [&] { return third_told.size() == 1; });
  EXPECT_THAT(third_told[0], HasSubstr("waiting"));
}

}  // namespace
}  // namespace windrow
