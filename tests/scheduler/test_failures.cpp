// What is tried again, where, and when it is given up.
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

// Fails trial 1 of a bench with one slot until it is given up; returns the number of attempts, or
// `limit` where it never is.
int attempts_until_failed(FailureKind kind, int limit = 50) {
  Bench bench({.slot_failures_in_a_row = 1000});
  bench.add({1});
  bench.join(0, 0, 1);
  for (int attempt = 1; attempt < limit; ++attempt) {
    bench.start(0, 1, attempt);
    bench.fail(0, 1, attempt, kind);
    if (bench.phase(1) == TrialPhase::failed) return attempt;
  }
  return limit;
}

TEST(Failures, EachKindHasItsBudget) {
  EXPECT_EQ(attempts_until_failed(FailureKind::nan), 1);
  EXPECT_EQ(attempts_until_failed(FailureKind::spec), 1);
  EXPECT_EQ(attempts_until_failed(FailureKind::oom), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::hang), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::data), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::crash), 3);
  EXPECT_EQ(attempts_until_failed(FailureKind::cuda), 3);
  EXPECT_EQ(attempts_until_failed(FailureKind::node), 50);
  EXPECT_EQ(attempts_until_failed(FailureKind::preempted), 50);
}

TEST(Failures, OfEarlierRunsCount) {
  Bench bench;
  const std::vector<TrialSpec> specs = {
      {.trial = TrialId{1}, .attempts = 2, .failures = {{FailureKind::crash, 2}}}};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  bench.start(0, 1, 3);
  bench.said();
  bench.fail(0, 1, 3, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"trial 1 failed"}));
}

TEST(Failures, ACrashIsTriedOnAnotherSlot) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.start(0, 1);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)"}));
}

TEST(Failures, OfTheOnlySlotIsTriedThereAgain) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 2)"}));
}

TEST(Failures, ASlotThatFailsEverythingIsDrainedAndTheTrialsAreNotBlamed) {
  Bench bench;
  bench.add(std::vector<double>(20, 1));
  bench.join(0, 0, 2);
  // Slot 0 fails all it gets, slot 1 finishes all.
  for (int round = 0; round < 100 && !all_over(bench.state); ++round) {
    for (const int s : {0, 1}) {
      const Slot& slot = bench.state.slots[static_cast<std::size_t>(s)];
      if (!slot.current) continue;
      const int trial = static_cast<int>(
          bench.state.trials[static_cast<std::size_t>(slot.current.trial)].id.value);
      const int attempt = slot.current.attempt;
      bench.start(s, trial, attempt);
      if (s == 0)
        bench.fail(s, trial, attempt, FailureKind::crash);
      else
        bench.finish(s, trial, attempt);
    }
  }
  EXPECT_TRUE(bench.state.slots[0].drained);
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 20);
  EXPECT_EQ(slots_in_service(bench.state), 1);
}

TEST(Failures, AnAttemptMayFailBeforeItStarted) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)"}));
}

}  // namespace
}  // namespace windrow::scheduler
