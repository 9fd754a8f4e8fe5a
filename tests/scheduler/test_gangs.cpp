// Slots that nothing waits for help the trials that run.
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

constexpr GangPolicy kAutomatic{.automatic = true};

// Two trials of 100 epochs on four slots, 0 to 3, which run alone and have been measured.
Bench two_on_four(int widest, double first_seconds = 2, double second_seconds = 1) {
  Bench bench({}, kAutomatic);
  bench.add({9, 8}, 100, widest);
  bench.join(0, 0, 4);
  bench.lead(0, 1);
  bench.lead(1, 2);
  bench.epoch(0, 1, 1, first_seconds);
  bench.said();
  bench.epoch(1, 2, 1, second_seconds);
  return bench;
}

// A trial of 100 epochs on slot 0, which all other slots help.
Bench one_with_helpers(int helpers) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 1 + helpers);
  bench.join(0, 0, 1 + helpers);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  bench.said();
  return bench;
}

TEST(Gangs, NothingIsLentBeforeATrialWasMeasuredAlone) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 4);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)"}));
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.said(), (Said{"lend 1 to 1 as 1", "helpers of 1: 1"}));
}

TEST(Gangs, WhatWouldEndLastIsHelpedFirst) {
  Bench bench({}, kAutomatic);
  bench.add({9, 8}, 100, 4);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  bench.lead(1, 2);
  bench.epoch(0, 1, 1, 3);
  bench.epoch(1, 2, 1, 1);
  bench.said();
  bench.join(1, 2, 3);
  // Three epoch lengths against one: it stays the last with one helper, and with two.
  EXPECT_EQ(bench.said(), (Said{"lend 2 to 1 as 1", "helpers of 1: 1", "lend 3 to 1 as 2",
                                "helpers of 1: 1 2", "lend 4 to 1 as 3", "helpers of 1: 1 2 3"}));
}

TEST(Gangs, WhatWouldEndLastIsToldByTheEpochsLeft) {
  Bench bench({}, kAutomatic);
  bench.add({9, 8}, 100, 4);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  bench.lead(1, 2);
  bench.epoch(0, 1, 90, 3);  // 30 s to go, the other one 99
  bench.epoch(1, 2, 1, 1);
  bench.said();
  bench.join(1, 2, 1);
  EXPECT_EQ(bench.said(), (Said{"lend 2 to 2 as 1", "helpers of 2: 1"}));
}

TEST(Gangs, NoneIsWiderThanItsTrialAllows) {
  Bench bench = two_on_four(2);
  EXPECT_EQ(bench.said(), (Said{"lend 3 to 2 as 2", "helpers of 2: 2"}));
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 1u);
}

TEST(Gangs, ATrialThatCannotShareIsLeftAlone) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 1);
  bench.join(0, 0, 2);
  bench.start(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)"}));
  Bench other({}, kAutomatic);
  other.add({9}, 100, 4);
  other.join(0, 0, 2);
  other.start(0, 1);  // it says that it takes no helpers
  other.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(other.said(), (Said{"assign 1 to 0 (attempt 1)"}));
}

TEST(Gangs, AHelperIsTakenBackWhenSomethingWaits) {
  Bench bench = one_with_helpers(1);
  bench.add({5}, 10);
  // It is queued behind the lead, and the helper told to go.
  EXPECT_EQ(bench.said(), (Said{"assign 2 to 0 (attempt 1)", "helpers of 1:"}));
  bench.gang_epoch(0, 1, 2, 1.0, 2);
  EXPECT_EQ(bench.said(), Said{}) << "the slot isn't free before the helper says so";
  bench.helper_over(1, 1);
  EXPECT_EQ(bench.said(), (Said{"withdraw 2 from 0"}));
  bench.give_back(0, 2);
  EXPECT_EQ(bench.said(), (Said{"assign 2 to 1 (attempt 1)"}));
}

TEST(Gangs, NoMoreHelpersAreTakenBackThanTrialsWait) {
  Bench bench = one_with_helpers(2);
  bench.add({5}, 10);
  EXPECT_EQ(bench.said(), (Said{"assign 2 to 0 (attempt 1)", "helpers of 1: 1"}));
  bench.gang_epoch(0, 1, 2, 1.0, 3);
  EXPECT_EQ(bench.said(), Said{}) << "one is on its way";
}

TEST(Gangs, AHelperIsOneOfThisAttempt) {
  Bench bench = one_with_helpers(1);
  EXPECT_TRUE(helps(bench.state, SlotId{1}, TrialId{1}, 1));
  EXPECT_FALSE(helps(bench.state, SlotId{1}, TrialId{1}, 0));
  EXPECT_FALSE(helps(bench.state, SlotId{1}, TrialId{1}, 2));
  EXPECT_FALSE(helps(bench.state, SlotId{1}, TrialId{2}, 1));
  EXPECT_FALSE(helps(bench.state, SlotId{0}, TrialId{1}, 1));
}

TEST(Gangs, AtTheEndOfTheLeadTheHelpersGo) {
  Bench bench = two_on_four(2);
  bench.said();
  bench.finish(0, 1);
  EXPECT_EQ(bench.said(), Said{});
  bench.helper_over(2, 1);
  EXPECT_EQ(bench.said(), Said{}) << "the other trial has all that it may have";
  EXPECT_EQ(bench.state.vacant.size(), 2u);
}

TEST(Gangs, ALostHelperCostsNobodyAndTheTrialGoesOn) {
  Bench bench = two_on_four(2);
  bench.said();
  bench.helper_over(2, 1, /*failed=*/true);
  bench.fail(0, 1, 1, FailureKind::gang);
  EXPECT_EQ(bench.phase(1), TrialPhase::queued);
  EXPECT_EQ(bench.state.trials[0].charges.size(), 0u);
  bench.said();
  bench.rest_over(2);
  int gangs = 1;
  for (int attempt = 2; attempt < 30; ++attempt) {  // any number of times
    const int slot = bench.state.trials[0].slot;
    ASSERT_NE(slot, kNone);
    bench.lead(slot, 1, attempt);
    const std::vector<int> helpers = bench.state.trials[0].helpers;
    gangs += !helpers.empty();
    bench.fail(slot, 1, attempt, FailureKind::gang);
    for (const int helper : helpers)
      on_helper_over(bench.state, SlotId{helper}, TrialId{1}, attempt, false, bench.out);
    bench.rest_over(slot);
  }
  EXPECT_EQ(gangs, 3) << "a trial that loses its gangs is trained alone";
}

TEST(Gangs, WithAnAgentItsHelpersAreLost) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 3);
  bench.join(0, 0, 1);
  bench.join(1, 1, 2);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 2u);
  bench.said();
  on_agent_lost(bench.state, AgentId{1}, bench.out);
  EXPECT_EQ(bench.said(), (Said{"helpers of 1: 2", "helpers of 1:"}));
  EXPECT_EQ(bench.phase(1), TrialPhase::running);
  bench.helper_over(1, 1);  // its last message, too late
  EXPECT_EQ(bench.said(), Said{});
}

TEST(Gangs, WithTheLeadsAgentNothingIsSentThere) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 3);
  bench.join(0, 0, 2);
  bench.join(1, 2, 1);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 2u);
  bench.said();
  on_agent_lost(bench.state, AgentId{0}, bench.out);
  EXPECT_EQ(bench.said(), Said{}) << "the slot that is left still helps";
  bench.helper_over(2, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 2 (attempt 2)"}));
}

// Two are hardly faster than one: the helper goes, and the group's other trials get none.
TEST(Gangs, AWidthThatDoesNotPayIsGivenUp) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 2);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  bench.said();
  bench.gang_epoch(0, 1, 2, 9.0, 2);  // its forming is in it
  EXPECT_EQ(bench.said(), Said{});
  bench.gang_epoch(0, 1, 3, 1.96, 2);
  EXPECT_EQ(bench.said(), (Said{"helpers of 1:"}));
  bench.helper_over(1, 1);
  EXPECT_EQ(bench.said(), Said{});
}

TEST(Gangs, AWidthThatPaysStays) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 2);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  bench.said();
  for (int epoch = 2; epoch < 50; ++epoch) bench.gang_epoch(0, 1, epoch, 1.2, 2);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_NEAR(bench.state.groups[0].epoch_seconds(), 2.0, 1e-9) << "what one slot would take";
}

// Eight that do the work of three are halved, and four that do as much are kept.
TEST(Gangs, AWidthIsHalvedWhereHalfWouldDo) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 8);
  bench.join(0, 0, 8);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 3.0);
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 7u);
  bench.gang_epoch(0, 1, 2, 1.0, 8);
  bench.gang_epoch(0, 1, 3, 1.0, 8);
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 3u);
  bench.gang_epoch(0, 1, 4, 1.0, 4);
  bench.gang_epoch(0, 1, 5, 1.0, 4);
  EXPECT_EQ(bench.state.trials[0].helpers.size(), 3u);
}

TEST(Gangs, OfAFixedSizeGoBeforeOtherTrials) {
  Bench bench({}, GangPolicy{.members = 2});
  bench.add({9, 8, 7}, 100, 2);
  bench.join(0, 0, 4);
  // Two trials begin; the third waits behind the one that ends first.
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)", "assign 2 to 1 (attempt 1)",
                                "assign 3 to 1 (attempt 1)"}));
  bench.lead(0, 1);
  bench.lead(1, 2);
  EXPECT_EQ(bench.said(),
            (Said{"lend 2 to 1 as 1", "helpers of 1: 1", "lend 3 to 2 as 2", "helpers of 2: 2"}));
}

// No room is kept for gangs that none of the trials can form.
TEST(Gangs, OfAFixedSizeHoldNothingBackWhereNoTrialCanShare) {
  Bench bench({}, GangPolicy{.members = 2});
  bench.add({9, 8, 7}, 100, 1);
  bench.join(0, 0, 3);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)", "assign 2 to 1 (attempt 1)",
                                "assign 3 to 2 (attempt 1)"}));
}

TEST(Gangs, AnEpochThatTookNoTimeMeasuresNothing) {
  Bench bench = one_with_helpers(1);
  for (const int epoch : {2, 3}) bench.gang_epoch(0, 1, epoch, 0.0, 2);
  EXPECT_FALSE(bench.state.groups[0].by_members.contains(2));
}

TEST(Gangs, ASlotThatFailsAsAHelperHelpsNoMore) {
  Bench bench({}, kAutomatic);
  bench.add({9}, 100, 2);
  bench.join(0, 0, 2);
  bench.lead(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(bench.state.trials[0].helpers.size(), 1u);
    bench.helper_over(1, 1, /*failed=*/true);
    bench.rest_over(1);
  }
  EXPECT_TRUE(bench.state.trials[0].helpers.empty());
  EXPECT_EQ(bench.state.vacant.size(), 1u) << "it may have a trial of its own";
}

// ---- threads alone

TEST(Threads, OfAnIdleSlotOfTheSameAgentAreLentOnceItIsMeasuredAndGivenBackAtOnce) {
  Bench bench;  // whether there are gangs or not
  bench.add({9}, 100);
  bench.join(0, 0, 2);
  bench.join(1, 2, 1);
  bench.take_threads(0, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)"}));
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.said(), (Said{"helpers of 1: threads of 1"}));
  bench.add({5, 4}, 10);
  EXPECT_EQ(bench.said(),
            (Said{"helpers of 1:", "assign 2 to 1 (attempt 1)", "assign 3 to 2 (attempt 1)"}));
  EXPECT_EQ(bench.phase(3), TrialPhase::queued);
}

TEST(Threads, AreFreeWhenTheAttemptEnds) {
  Bench bench;
  bench.add({9}, 100);
  bench.join(0, 0, 3);
  bench.take_threads(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  EXPECT_EQ(bench.said().back(), "helpers of 1: threads of 1 2");
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)"}));
  bench.take_threads(1, 1, 2);
  bench.epoch(1, 1, 2, 2.0, 2);
  bench.said();
  bench.finish(1, 1, 2);
  EXPECT_EQ(bench.state.thread_takers, 0);
}

TEST(Threads, ThatAreNotWorthItAreGivenBack) {
  Bench bench;
  bench.add({9}, 100);
  bench.join(0, 0, 2);
  bench.take_threads(0, 1);
  bench.epoch(0, 1, 1, 2.0);
  bench.gang_epoch(0, 1, 2, 2.5, 2);  // its beginning is not counted
  bench.said();
  bench.gang_epoch(0, 1, 3, 2.0, 2);
  EXPECT_EQ(bench.said(), (Said{"helpers of 1:"}));
  bench.epoch(0, 1, 4, 2.0);
  EXPECT_EQ(bench.said(), Said{}) << "and not lent again";
}

TEST(Threads, GoToWhatWouldEndLastAndOfALostAgentToNobody) {
  Bench bench;
  bench.add({9, 8}, 100);
  bench.join(0, 0, 3);
  bench.take_threads(0, 1);
  bench.take_threads(1, 2);
  bench.epoch(0, 1, 1, 1.0);
  bench.said();
  bench.epoch(1, 2, 1, 4.0);
  bench.lose(0);
  EXPECT_EQ(bench.state.thread_takers, 0);
  bench.said();
}

}  // namespace
}  // namespace windrow::scheduler
