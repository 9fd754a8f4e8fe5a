// Whose checkpoints stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "orchestrator/coordinator/kept_trials.h"

namespace windrow {
namespace {

using sweeps::Keep;
using testing::ElementsAre;

// The trials that leave, one list a trial that finishes with these values, from trial 1.
std::vector<std::vector<int>> leaving(KeptTrials kept, const std::vector<double>& values) {
  std::vector<std::vector<int>> all;
  int trial = 0;
  for (const double value : values) {
    std::vector<int>& now = all.emplace_back();
    for (const FinishedTrial& leaves : kept.add({TrialId{++trial}, AgentId{0}, value}))
      now.push_back(static_cast<int>(leaves.trial.value));
  }
  return all;
}

const std::vector<int> kNobody;

TEST(KeptTrials, NoneKeepsNothingAndLastAll) {
  EXPECT_THAT(leaving({{Keep::none}, protocol::Goal::minimize}, {3, 1}),
              ElementsAre(ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(leaving({{Keep::last}, protocol::Goal::minimize}, {3, 1}),
              ElementsAre(kNobody, kNobody));
}

TEST(KeptTrials, TheLastOnesStay) {
  EXPECT_THAT(leaving({{Keep::last, 2}, protocol::Goal::minimize}, {1, 2, 3, 4}),
              ElementsAre(kNobody, kNobody, ElementsAre(1), ElementsAre(2)));
}

TEST(KeptTrials, TheBestOnesStayAndAnEqualOneThatCameLaterLeaves) {
  EXPECT_THAT(leaving({{Keep::best, 2}, protocol::Goal::minimize}, {3, 1, 2, 2, 0}),
              ElementsAre(kNobody, kNobody, ElementsAre(1), ElementsAre(4), ElementsAre(3)));
  EXPECT_THAT(leaving({{Keep::best, 1}, protocol::Goal::maximize}, {3, 1, 5}),
              ElementsAre(kNobody, ElementsAre(2), ElementsAre(1)));
}

TEST(KeptTrials, WhatHasNoNumberIsTheWorst) {
  EXPECT_THAT(
      leaving({{Keep::best, 1}, protocol::Goal::maximize}, {std::nan(""), -5, std::nan("")}),
      ElementsAre(kNobody, ElementsAre(1), ElementsAre(3)));
}

TEST(KeptTrials, ATrialThatFinishesAgainCountsOnce) {
  KeptTrials kept({Keep::best, 2}, protocol::Goal::minimize);
  kept.add({TrialId{1}, {}, 1});
  kept.add({TrialId{2}, {}, 2});
  EXPECT_TRUE(kept.add({TrialId{2}, {}, 0.5}).empty());
  EXPECT_EQ(kept.add({TrialId{3}, {}, 3}).at(0).trial, TrialId{3});
}

}  // namespace
}  // namespace windrow
