// Agents come and go, messages come late or twice, and the run is stopped.
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

TEST(Agents, ASlotThatClosesGetsNothingMoreAndIsNotBlamed) {
  Bench bench;
  bench.add({3, 2, 1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.said();
  on_slot_closing(bench.state, SlotId{0}, bench.out);
  EXPECT_EQ(bench.said(), Said{"withdraw 2 from 0"});
  bench.give_back(0, 2);
  bench.fail(0, 1, 1, FailureKind::preempted);
  EXPECT_EQ(slots_in_service(bench.state), 0);
  bench.join(1, 1, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)", "assign 2 to 1 (attempt 1)"}));
}

TEST(Agents, WhatRunsCantBeGivenBack) {
  Bench bench;
  bench.add({3, 2});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.said();
  bench.give_back(0, 1);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_EQ(bench.phase(1), TrialPhase::running);
  bench.finish(0, 1);
  EXPECT_EQ(bench.phase(1), TrialPhase::finished);
}

TEST(Agents, WhatALostOneHadGoesToTheOthersAndCostsNothing) {
  Bench bench;
  bench.add({9, 8, 7}, 10);
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)", "assign 2 to 0 (attempt 1)",
                                "assign 3 to 1 (attempt 1)"}));
  bench.start(0, 1);
  bench.start(1, 3);
  on_agent_lost(bench.state, AgentId{1}, bench.out);
  EXPECT_EQ(bench.phase(3), TrialPhase::pending);
  bench.out.clear();
  bench.finish(0, 1);
  bench.give_back(0, 99);  // nonsense
  for (int round = 0; round < 10 && !all_over(bench.state); ++round) {
    const Slot& slot = bench.state.slots[0];
    ASSERT_TRUE(slot.current);
    const int trial =
        static_cast<int>(bench.state.trials[static_cast<std::size_t>(slot.current.trial)].id.value);
    const int attempt = slot.current.attempt;
    bench.start(0, trial, attempt);
    bench.finish(0, trial, attempt);
  }
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 3);
  EXPECT_EQ(bench.state.trials[2].attempts, 2);
  EXPECT_EQ(bench.state.trials[2].failures[static_cast<std::size_t>(FailureKind::node)], 1);
}

TEST(Agents, NoCommandGoesToALostOne) {
  Bench bench;
  bench.add({1, 1});
  bench.join(0, 0, 1);
  on_agent_lost(bench.state, AgentId{0}, bench.out);
  bench.said();
  bench.add({1});
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_TRUE(idle(bench.state));
  EXPECT_EQ(slots_in_service(bench.state), 0);
  bench.join(1, 1, 1);
  EXPECT_EQ(bench.said().size(), 2U);
}

TEST(Agents, MessagesOfAnAttemptThatIsOverAreDropped) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.start(0, 1);
  bench.fail(0, 1, 1, FailureKind::crash);
  bench.start(1, 1, 2);
  bench.said();
  bench.finish(0, 1, 1);  // late, of the attempt that failed
  bench.fail(0, 1, 1, FailureKind::crash);
  bench.epoch(0, 1, 1, 1.0, 1);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_EQ(bench.phase(1), TrialPhase::running);
  bench.finish(1, 1, 2);
  bench.finish(1, 1, 2);  // twice
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 1);
}

TEST(Agents, UnknownIdsAreDropped) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  bench.said();
  bench.start(7, 1);
  bench.finish(0, 7);
  bench.fail(7, 7, 1, FailureKind::crash);
  bench.give_back(7, 1);
  on_agent_lost(bench.state, AgentId{5}, bench.out);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_EQ(bench.phase(1), TrialPhase::queued);
}

TEST(Agents, OneThatGivesBackUnaskedIsDrained) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  bench.said();
  bench.give_back(0, 1);
  EXPECT_EQ(bench.said(), (Said{"slot 0 drained"}));
  EXPECT_EQ(bench.phase(1), TrialPhase::pending);
}

TEST(Stop, NothingMoreIsAssigned) {
  Bench bench;
  bench.add({1, 1, 1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.said();
  on_stop_requested(bench.state, bench.out);
  bench.give_back(0, 2);
  bench.fail(0, 1, 1, FailureKind::preempted);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_TRUE(idle(bench.state));
  EXPECT_FALSE(all_over(bench.state));
  EXPECT_EQ(count(bench.state, TrialPhase::pending), 3);
}

// One took 4 epochs of 2 s in an earlier run, of a declared cost of 1 each.
TEST(Remaining, WhatIsNotMeasuredTakesAsLongAsItsCostSays) {
  Bench bench;
  std::vector<TrialSpec> specs(2);
  specs[0] = {.trial = TrialId{1}, .group = 1, .declared_cost = 10, .epochs = 10};
  specs[0].committed_epochs = 4;
  specs[0].epoch_seconds = 2;
  specs[1] = {.trial = TrialId{2}, .group = 2, .declared_cost = 5, .epochs = 10};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  EXPECT_NEAR(expected_remaining_seconds(bench.state).value_or(0), 6 * 2 + 5 * 2, 1e-9);
}

TEST(Remaining, EpochsWhoseCheckpointIsGoneAreWorkLeft) {
  Bench bench;
  std::vector<TrialSpec> specs(1);
  specs[0] = {
      .trial = TrialId{1}, .group = 1, .epochs = 10, .committed_epochs = 4, .epoch_seconds = 2};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  const auto left = [&] { return expected_remaining_seconds(bench.state).value_or(0); };
  EXPECT_NEAR(left(), 6 * 2, 1e-9);
  bench.start(0, 1);  // from the beginning
  EXPECT_NEAR(left(), 10 * 2, 1e-9);
  bench.epoch(0, 1, 1, 2);
  EXPECT_NEAR(left(), 9 * 2, 1e-9);
  bench.fail(0, 1, 1, FailureKind::node);
  EXPECT_NEAR(left(), 9 * 2, 1e-9);
}

TEST(Remaining, IsTheWorkLeftSharedByTheSlots) {
  Bench bench;
  bench.add({1, 1, 1, 1}, 10);
  bench.join(0, 0, 2);
  EXPECT_FALSE(expected_remaining_seconds(bench.state));
  bench.start(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  // 39 epochs of 2 seconds on two slots.
  ASSERT_TRUE(expected_remaining_seconds(bench.state));
  EXPECT_NEAR(*expected_remaining_seconds(bench.state), 39.0, 0.5);
  on_slot_lost(bench.state, SlotId{1}, "it is gone", bench.out);
  EXPECT_NEAR(expected_remaining_seconds(bench.state).value_or(0), 78.0, 1);
}

}  // namespace
}  // namespace windrow::scheduler
