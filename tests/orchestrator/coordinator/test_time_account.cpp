#include <gtest/gtest.h>

#include "orchestrator/coordinator/time_account.h"

namespace windrow {
namespace {

constexpr SlotId kFirst{0}, kSecond{1};
constexpr TrialId kLong{1}, kShort{2}, kThird{3};

TEST(TimeAccount, EverySecondOfASlotIsSomewhere) {
  TimeAccount account;
  account.joined(kFirst, 10);
  account.assigned(kFirst, 11);        // 1 s idle
  account.assigned(kFirst, 11);        // queued behind
  account.started(kFirst, kLong, 13);  // 2 s start-up
  account.epoch(kFirst, 4, 1);
  account.epoch(kFirst, 3, 1);
  account.ended(kFirst, TimeAccount::End::finished, 21);  // 8 s, of which 1 s is not training
  account.started(kFirst, kShort, 21.5);
  account.epoch(kFirst, 2, 1);
  account.ended(kFirst, TimeAccount::End::failed, 26.5);  // 3 s after its last epoch
  const TimeUse use = account.use(30);
  EXPECT_EQ(use.training, 9);
  EXPECT_EQ(use.starting, 2.5);
  EXPECT_EQ(use.failed, 3);
  EXPECT_EQ(use.idle, 4.5);
  EXPECT_EQ(use.other, 1);
  EXPECT_EQ(use.total(), 20);
}

TEST(TimeAccount, WithoutEpochsAnAttemptThatFinishedIsTrainingAndOneThatFailedIsLost) {
  TimeAccount account;
  account.joined(kFirst, 0);
  account.assigned(kFirst, 0);
  account.started(kFirst, kLong, 0);
  account.ended(kFirst, TimeAccount::End::failed, 5);
  account.assigned(kFirst, 5);
  account.started(kFirst, kLong, 5);
  account.ended(kFirst, TimeAccount::End::finished, 12);
  EXPECT_EQ(account.use(12).training, 7);
  EXPECT_EQ(account.use(12).failed, 5);
  EXPECT_EQ(account.lower_bound(), 7);
}

TEST(TimeAccount, WhatAStopCutsShortIsNoFailure) {
  TimeAccount account;
  account.joined(kFirst, 0);
  account.assigned(kFirst, 0);
  account.started(kFirst, kLong, 0);
  account.epoch(kFirst, 4, 1);
  account.ended(kFirst, TimeAccount::End::stopped, 6);
  EXPECT_EQ(account.use(6).training, 4);
  EXPECT_EQ(account.use(6).stopped, 2);
  EXPECT_EQ(account.use(6).failed, 0);
  EXPECT_EQ(account.use(6).total(), 6);
}

TEST(TimeAccount, TheBoundIsAllSlotsBusyOrTheLongestTrialThatOneSlotTrained) {
  TimeAccount account;
  account.joined(kFirst, 0);
  account.joined(kSecond, 0);
  account.assigned(kFirst, 0);
  account.started(kFirst, kLong, 0);
  account.epoch(kFirst, 10, 1);
  account.assigned(kSecond, 0);
  account.started(kSecond, kShort, 0);
  account.epoch(kSecond, 4, 1);
  EXPECT_EQ(account.lower_bound(), 10);
  account.ended(kSecond, TimeAccount::End::finished, 4);
  account.lent(kSecond, 4);
  account.epoch(kFirst, 6, 2);
  EXPECT_EQ(account.lower_bound(), (10 + 12 + 4) / 2.0) << "several slots can share it";
  account.returned(kSecond, 16);
  EXPECT_EQ(account.use(16).idle, 0);
  EXPECT_EQ(account.use(17).idle, 1);
}

TEST(TimeAccount, AWithdrawnAssignmentAndALostSlotLeaveNothingBehind) {
  TimeAccount account;
  account.joined(kFirst, 0);
  account.assigned(kFirst, 1);
  account.assigned(kFirst, 1);
  account.withdrawn(kFirst, 2);  // the one behind
  account.withdrawn(kFirst, 3);
  account.assigned(kFirst, 5);
  account.started(kFirst, kThird, 6);
  account.gone(kFirst, 9);
  const TimeUse use = account.use(100);
  EXPECT_EQ(use.idle, 3);
  EXPECT_EQ(use.starting, 3);
  EXPECT_EQ(use.failed, 3);
  EXPECT_EQ(use.total(), 9);
}

}  // namespace
}  // namespace windrow
