// Trials that are wanted no more.
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

// Trial 1 runs at slot 0, trial 2 is queued behind it, trial 3 waits.
class Cancel : public testing::Test {
 protected:
  void SetUp() override {
    bench.add({3, 2, 1});
    bench.join(0, 0, 1);
    bench.start(0, 1);
    bench.said();
  }
  void cancel(int trial) { on_trial_cancelled(bench.state, TrialId{trial}, bench.out); }

  Bench bench;
};

TEST_F(Cancel, WhatWaitsIsFailedAtOnce) {
  cancel(3);
  EXPECT_EQ(bench.said(), Said{"trial 3 failed"});
  EXPECT_EQ(bench.phase(3), TrialPhase::failed);
  bench.finish(0, 1);
  bench.finish(0, 2);
  EXPECT_TRUE(all_over(bench.state));
  EXPECT_EQ(bench.said(), Said{});
}

TEST_F(Cancel, WhatRunsIsEndedAndNotTriedAgain) {
  cancel(1);
  EXPECT_EQ(bench.said(), Said{"end 1 at 0"});
  bench.fail(0, 1, 1, FailureKind::cancelled);
  EXPECT_EQ(bench.said(), (Said{"trial 1 failed", "assign 3 to 0 (attempt 1)"}));
}

TEST_F(Cancel, WhatIsQueuedComesBackAndIsFailed) {
  cancel(2);
  EXPECT_EQ(bench.said(), Said{"end 2 at 0"});
  bench.join(1, 1, 1);  // a vacant slot, which gets the trial that waits
  EXPECT_EQ(bench.said(), Said{"assign 3 to 1 (attempt 1)"});
  bench.give_back(0, 2);
  EXPECT_EQ(bench.said(), Said{"trial 2 failed"});  // and the slot is not drained for it
}

TEST_F(Cancel, OfTwoAtASlotTheOneThatIsMeantIsEnded) {
  cancel(1);
  EXPECT_FALSE(bench.state.slots[0].next.withdrawing);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::cancelled);
  EXPECT_EQ(bench.phase(1), TrialPhase::failed);
  bench.start(0, 2);
  bench.finish(0, 2);
  EXPECT_EQ(bench.phase(2), TrialPhase::finished);
}

TEST_F(Cancel, WhatFinishedBeforeItHeardOfItIsFinished) {
  cancel(1);
  bench.finish(0, 1);
  EXPECT_EQ(bench.phase(1), TrialPhase::finished);
}

TEST_F(Cancel, HoweverItsAttemptEndsItIsNotRunAgain) {
  cancel(1);
  bench.fail(0, 1, 1, FailureKind::preempted);
  EXPECT_EQ(bench.phase(1), TrialPhase::failed);
}

TEST_F(Cancel, ALostAgentsTrialsTooAreOver) {
  cancel(1);
  cancel(2);
  bench.said();
  bench.lose(0);
  EXPECT_EQ(bench.said(), (Said{"trial 1 failed", "trial 2 failed"}));
  EXPECT_EQ(bench.phase(3), TrialPhase::pending);
}

TEST_F(Cancel, TwiceOrTooLateChangesNothing) {
  cancel(3);
  bench.finish(0, 1);
  bench.said();
  cancel(3);
  cancel(1);
  on_trial_cancelled(bench.state, TrialId{99}, bench.out);
  EXPECT_EQ(bench.said(), Said{});
}

// As many trials as one likes of one group: the heaps stay as they should be.
TEST(CancelMany, InAnyOrder) {
  Bench bench;
  std::vector<TrialSpec> specs;
  for (int i = 1; i <= 40; ++i)
    specs.push_back({.trial = TrialId{i},
                     .group = i % 3,
                     .declared_cost = 1.0 * (i * 7 % 11),
                     .epochs = 1 + i % 5});
  on_trials_added(bench.state, specs, bench.out);
  for (int i = 0; i < 40; ++i) {
    on_trial_cancelled(bench.state, TrialId{1 + i * 17 % 40}, bench.out);
    ASSERT_EQ(check_invariants(bench.state).value_or(""), "");
  }
  EXPECT_EQ(bench.said().size(), 40u);
  EXPECT_TRUE(all_over(bench.state));
}

}  // namespace
}  // namespace windrow::scheduler
