// Epochs on record against the same ones trained again.
#include <gtest/gtest.h>

#include "orchestrator/results/verified.h"

namespace windrow {
namespace {

RecordedEpochs epochs(int number, double loss_of_last, const std::string& state = "s") {
  RecordedEpochs all;
  for (int i = 1; i <= number; ++i)
    all[i] = {state.empty() ? "" : state + std::to_string(i),
              {{"loss", i == number ? loss_of_last : 1.0 / i}}};
  return all;
}

TEST(Verify, HoldsWhereAllIsTheSame) {
  const Verified verified = verify(epochs(3, 0.5), epochs(3, 0.5));
  EXPECT_TRUE(verified.holds());
  EXPECT_EQ(verified.compared, 3);
  EXPECT_EQ(verified.by_state, 3);
}

TEST(Verify, TellsTheFirstEpochThatDiffersAndHow) {
  const Verified verified = verify(epochs(3, 0.5), epochs(3, 0.25));
  EXPECT_FALSE(verified.holds());
  EXPECT_EQ(verified.differs_at, 3);
  EXPECT_EQ(verified.what, "loss: 0.5 on record, 0.25 now");
}

TEST(Verify, OfEqualNumbersTheStateMayDiffer) {
  const Verified verified = verify(epochs(3, 0.5), epochs(3, 0.5, "t"));
  EXPECT_EQ(verified.differs_at, 1);
  EXPECT_EQ(verified.what, "the state");
}

TEST(Verify, WithoutStatesTheNumbersCount) {
  const Verified verified = verify(epochs(2, 0.5, ""), epochs(2, 0.5));
  EXPECT_TRUE(verified.holds());
  EXPECT_EQ(verified.by_state, 0);
}

TEST(Verify, WhatWasNotTrainedAgainIsMissingAndNothingIsNoProof) {
  const Verified verified = verify(epochs(3, 0.5), epochs(2, 0.5));
  EXPECT_TRUE(verified.holds());
  EXPECT_EQ(verified.missing, 1);
  EXPECT_FALSE(verify(epochs(3, 0.5), {}).holds());
  EXPECT_EQ(verify(epochs(3, 0.5), epochs(2, 0.5), 2).missing, 0);
}

TEST(Verify, AMetricThatIsGoneDiffers) {
  RecordedEpochs again = epochs(1, 0.5);
  again[1].metrics.clear();
  EXPECT_EQ(verify(epochs(1, 0.5), again).what, "loss: not reported now");
}

}  // namespace
}  // namespace windrow
