// Trainers that do not start: whom that is blamed on, and when a run stops for it.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

class Starts : public Bench, public testing::Test {
 protected:
  // The slot's trainer ends before it is ready, for whichever trial it was started.
  void fails_to_start(int slot, FailureKind kind = FailureKind::crash) {
    rest_over(slot);
    if (const auto [trial, attempt] = current(slot); attempt > 0)
      fail(slot, trial, attempt, kind, protocol::Reached::nothing);
  }
  // The trial that the slot has, and its attempt; {0, 0}: none.
  std::pair<int, int> current(int slot) const {
    const Assignment& has = state.slots[static_cast<std::size_t>(slot)].current;
    if (!has) return {};
    const TrialId trial = state.trials[static_cast<std::size_t>(has.trial)].id;
    return {static_cast<int>(trial.value), has.attempt};
  }
  std::string end() {  // the last word
    const Said all = said();
    return all.empty() ? "" : all.back();
  }
};

TEST_F(Starts, WhereNoTrainerIsEverReadyTheRunIsRefused) {
  add({1});
  join(0, 0, 2);
  for (int i = 0; i < 6 && !state.stopping; ++i) fails_to_start(i % 2);
  EXPECT_EQ(end(), "run refused");
  EXPECT_EQ(phase(1), TrialPhase::pending);
}

TEST_F(Starts, ARunAfterOneThatTrainedIsStoppedAndChargesNobody) {
  add({1, 1});
  on_trainers_known(state);
  join(0, 0, 2);
  for (int i = 0; i < 6 && !state.stopping; ++i) fails_to_start(i % 2);
  EXPECT_EQ(end(), "run stopped");
  EXPECT_EQ(count(state, TrialPhase::failed), 0);
}

TEST_F(Starts, WhatStartsNoMoreInMidRunStopsItAfterAWhileAndChargesNobody) {
  add({1, 1});
  join(0, 0, 1);
  start(0, 1);
  finish(0, 1);
  for (int i = 0; i < 6; ++i) fails_to_start(0);
  EXPECT_FALSE(state.stopping);
  fails_to_start(0);
  EXPECT_EQ(end(), "run stopped");
  EXPECT_EQ(phase(2), TrialPhase::pending);
}

TEST_F(Starts, EachFailureIsTakenBackAndTheSlotRestsForAWhileThatGrows) {
  add({1, 1, 1, 1, 1, 1, 1, 1});
  join(0, 0, 1);
  join(1, 1, 1);
  start(0, 1);
  said();
  const std::string trial = std::to_string(current(1).first);
  fails_to_start(1);
  const Said first = said();
  EXPECT_EQ(first.at(0), "trial " + trial + " forgiven 1");
  EXPECT_EQ(first.at(1), "slot 1 rests 1 s");
  fails_to_start(1, FailureKind::hang);
  EXPECT_EQ(said().at(1), "slot 1 rests 2 s");
}

TEST_F(Starts, ASlotOnWhichNoneStartsIsDrainedWhereAnotherTrains) {
  add(std::vector<double>(9, 1), 100);
  join(0, 0, 1);
  join(1, 1, 1);
  start(0, 1);
  for (int i = 0; i < 7; ++i) fails_to_start(1);
  EXPECT_FALSE(in_service(state, SlotId{1}));
  EXPECT_TRUE(in_service(state, SlotId{0}));
  EXPECT_FALSE(state.stopping);
  EXPECT_EQ(count(state, TrialPhase::failed), 0);
}

TEST_F(Starts, NothingIsSaidOfARunWhoseOtherHostsWereNotTried) {
  add({1, 1, 1, 1, 1, 1});
  join(0, 0, 1);
  join(1, 1, 1);  // which is about to start its first trainer
  for (int i = 0; i < 12; ++i) fails_to_start(0);
  EXPECT_FALSE(state.stopping);
  EXPECT_EQ(count(state, TrialPhase::failed), 0);
}

TEST_F(Starts, ATrainerThatStartsIsEvidenceForTheSlot) {
  add({1, 1, 1, 1, 1, 1});
  join(0, 0, 1);
  for (int i = 0; i < 2; ++i) fails_to_start(0);
  rest_over(0);
  const auto [trial, attempt] = current(0);
  finish(0, trial, attempt);  // any word of it shows that it runs
  EXPECT_EQ(state.slots[0].failed_starts, 0);
}

}  // namespace
}  // namespace windrow::scheduler
