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

}  // namespace
}  // namespace windrow::protocol
