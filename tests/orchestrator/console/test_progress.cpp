// The block that is redrawn on a terminal, line by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/console/progress.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

RunView sixteen_trials(double done) {
  return {.study = "s", .trials = 16, .finished = 0, .running = 4, .trials_done = done};
}

TEST(ProgressBlock, CountsTheEpochsOfTrialsThatRun) {
  EXPECT_THAT(progress_block(sixteen_trials(4 * 14.0 / 20), 0)[1], HasSubstr("] 17%"));
  EXPECT_THAT(progress_block(sixteen_trials(0), 0)[1], HasSubstr("[........"));
}

TEST(ProgressBlock, HundredPercentIsForWhenNothingIsLeft) {
  EXPECT_THAT(progress_block(sixteen_trials(15.99), 0)[1], HasSubstr("] 99%"));
  EXPECT_THAT(progress_block(sixteen_trials(16), 0)[1], HasSubstr("] 100%"));
}

TEST(ProgressBlock, ShowsTheBestWhereThereIsOne) {
  const RunView view = sixteen_trials(1);
  EXPECT_THAT(progress_block(view, 0), Not(testing::Contains(HasSubstr("best"))));
  EXPECT_THAT(
      progress_block(view, 0, "loss 0.25, trial 3 x=1"),
      ElementsAre(StartsWith("s: 0/16"), StartsWith("["), "  best so far: loss 0.25, trial 3 x=1"));
}

}  // namespace
}  // namespace windrow
