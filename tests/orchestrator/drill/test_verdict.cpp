// What a drill says of what its run left behind: each promise that can break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/drill/small_study.h"
#include "orchestrator/drill/verdict.h"

namespace windrow::drill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Fault& fault_named(std::string_view name) {
  for (const Fault& fault : all_faults())
    if (fault.name == name) return fault;
  throw std::runtime_error("no such fault");
}

constexpr std::int64_t kFaultAt = 10000;

// Two trials; of the first an attempt was hit in its epoch 4, and another went on.
Record recovered_record() {
  Record record;
  record.trials = record.finished = 2;
  record.launches = 1;
  record.done = Done{kFaultAt, 1, 1, "host"};
  record.attempts = {
      {1, 1, "crash", kFaultAt + 250}, {1, 2, "finished", 20000}, {2, 1, "finished", 20000}};
  for (std::int64_t trial : {1, 2})
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const bool later = trial == 1 && epoch >= 4;
      record.epochs.push_back(
          {trial, trial + 10, epoch, later ? 2 : 1,
           state_hash(state_after(static_cast<std::uint64_t>(trial) + 10, epoch)),
           kFaultAt + (later ? 1000 + epoch : -1)});
    }
  record.begun = 2 * kEpochs + 1;
  return record;
}

TEST(DrillVerdict, ARunThatLostNothingHolds) {
  const Outcome outcome = judge(fault_named("trainer-killed"), recovered_record());
  EXPECT_THAT(outcome.broken, IsEmpty());
  EXPECT_EQ(outcome.not_tried, "");
  EXPECT_DOUBLE_EQ(*outcome.noticed_seconds, 0.25);
  EXPECT_DOUBLE_EQ(*outcome.recovered_seconds, 1.004);
  EXPECT_EQ(outcome.lost_epochs, 1);
}

TEST(DrillVerdict, WhatWasNotDoneIsNotTried) {
  Record record = recovered_record();
  record.done.reset();
  record.attempts[0].outcome = "finished";
  const Outcome outcome = judge(fault_named("rank-killed"), record);
  EXPECT_THAT(outcome.broken, IsEmpty());
  EXPECT_THAT(outcome.not_tried, HasSubstr("no trainer"));
  EXPECT_FALSE(outcome.noticed_seconds);
}

TEST(DrillVerdict, AnAttemptThatGoesOnIsNotNoticed) {
  Record record = recovered_record();
  for (EpochRow& row : record.epochs) row.attempt = 1;
  record.attempts = {{1, 1, "finished", 20000}, {2, 1, "finished", 20000}};
  const Outcome outcome = judge(fault_named("rank-paused"), record);
  EXPECT_FALSE(outcome.noticed_seconds);
  EXPECT_DOUBLE_EQ(*outcome.recovered_seconds, 1.004);
}

TEST(DrillVerdict, TheEndOfTheRunIsWhereAFaultOfAllIsNoticed) {
  Record record = recovered_record();
  record.launches = 2;
  record.first_end_ms = kFaultAt + 500;
  EXPECT_DOUBLE_EQ(*judge(fault_named("coordinator-killed"), record).noticed_seconds, 0.5);
}

TEST(DrillVerdict, EpochsOfAnotherStateAreBroken) {
  Record record = recovered_record();
  record.epochs[5].state_hash = state_hash(5);
  EXPECT_THAT(judge(fault_named("trainer-killed"), record).broken,
              ElementsAre(HasSubstr("1 epochs have other numbers")));
}

TEST(DrillVerdict, MissingAndDoubleEpochsAreBroken) {
  Record record = recovered_record();
  record.epochs.pop_back();
  EXPECT_THAT(judge(fault_named("trainer-killed"), record).broken,
              ElementsAre("1 epochs are missing"));
  record.epochs.push_back(record.epochs.front());
  EXPECT_THAT(judge(fault_named("trainer-killed"), record).broken,
              ElementsAre("epochs are on record twice", "1 epochs are missing"));
}

TEST(DrillVerdict, OpenAndFailedTrialsAreBroken) {
  Record record = recovered_record();
  record.finished = 0;
  record.failed = 1;
  EXPECT_THAT(judge(fault_named("trainer-killed"), record).broken,
              ElementsAre("1 trials failed for good", "1 trials are not over"));
}

TEST(DrillVerdict, ABlameForAnotherThanTheTrialThatWasHitIsBroken) {
  Record record = recovered_record();
  record.attempts[2].outcome = "crash";
  EXPECT_THAT(judge(fault_named("trainer-killed"), record).broken,
              ElementsAre(HasSubstr("1 attempts were blamed")));
  record = recovered_record();  // the trial that was hit may not be blamed for its rank
  EXPECT_THAT(judge(fault_named("rank-killed"), record).broken,
              ElementsAre(HasSubstr("1 attempts were blamed")));
  record.attempts[0].outcome = "node";
  EXPECT_THAT(judge(fault_named("rank-killed"), record).broken, IsEmpty());
}

TEST(DrillVerdict, ProcessesThatAreLeftAreBroken) {
  Record record = recovered_record();
  record.left = {"child host-7"};
  EXPECT_THAT(judge(fault_named("child-left"), record).broken,
              ElementsAre("child host-7 still runs"));
}

TEST(DrillStudy, AStateDependsOnAllEpochsBefore) {
  EXPECT_EQ(state_after(3, 4), next_state(state_after(3, 3), 4));
  EXPECT_NE(state_after(3, 4), state_after(4, 4));
  EXPECT_NE(next_state(state_after(3, 2), 4), state_after(3, 4));  // one was skipped
}

}  // namespace
}  // namespace windrow::drill
