#include <gtest/gtest.h>

#include <cmath>

#include "protocol/early_stopping.h"

namespace windrow::protocol {
namespace {

TEST(EarlyStopping, StopsAfterPatienceEpochsWithoutImprovement) {
  EarlyStoppingMonitor monitor({"loss", Goal::minimize, 2, 0, true});
  EXPECT_TRUE(monitor.observe(1, 1.0));
  EXPECT_TRUE(monitor.observe(2, 0.5));
  EXPECT_FALSE(monitor.observe(3, 0.5));
  EXPECT_FALSE(monitor.should_stop());
  EXPECT_FALSE(monitor.observe(4, 0.6));
  EXPECT_TRUE(monitor.should_stop());
  EXPECT_EQ(monitor.best_epoch(), 2);
  EXPECT_EQ(monitor.best_value(), 0.5);
}

TEST(EarlyStopping, MaximizesAndMindsMinDelta) {
  EarlyStoppingMonitor monitor({"acc", Goal::maximize, 1, 0.1, true});
  EXPECT_TRUE(monitor.observe(1, 0.5));
  EXPECT_FALSE(monitor.observe(2, 0.55));
  EXPECT_TRUE(monitor.should_stop());
}

TEST(EarlyStopping, NaNNeverImproves) {
  EarlyStoppingMonitor monitor({"loss", Goal::minimize, 2, 0, true});
  EXPECT_FALSE(monitor.observe(1, std::nan("")));
  EXPECT_TRUE(monitor.observe(2, 3.0));
  EXPECT_FALSE(monitor.observe(3, std::nan("")));
  EXPECT_EQ(monitor.best_epoch(), 2);
}

TEST(EarlyStopping, GoesOnFromItsHistory) {
  EarlyStoppingMonitor monitor({.metric = "loss", .patience = 4}, {{1, 9}, {2, 1}, {3, 2}, {4, 3}});
  monitor.observe(5, 2.5);
  EXPECT_FALSE(monitor.should_stop());
  monitor.observe(6, 2.6);
  EXPECT_TRUE(monitor.should_stop());
  EXPECT_EQ(monitor.best_epoch(), 2);
}

TEST(EarlyStopping, AnEpochThatComesAgainReplacesWhatFollowed) {
  EarlyStoppingMonitor monitor({.metric = "loss", .patience = 2}, {{1, 9}, {2, 1}, {3, 5}});
  monitor.observe(2, 4);  // the trial went on from its first epoch's checkpoint
  EXPECT_EQ(monitor.best_epoch(), 2);
  EXPECT_EQ(monitor.best_value(), 4);
  monitor.observe(3, 3);
  EXPECT_EQ(monitor.best_epoch(), 3);
}

}  // namespace
}  // namespace windrow::protocol
