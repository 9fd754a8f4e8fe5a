#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "worker/tasks/score.h"

namespace windrow::worker {
namespace {

at::Tensor logits(const std::vector<float>& values) {
  return at::tensor(values).view({-1, 7});
}

TEST(Score, CountsClassesThatComeBefore) {
  Score score(at::kCPU, 7, 2);
  // Rank 0 (right), rank 1, rank 4 (in the top five still).
  score.add(0, at::tensor(2.0F).squeeze(),
            logits({9, 1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4, 5, 8, 9, 8, 3, 2, 1, 7, 6}),
            at::tensor({0, 6, 2}, at::kLong));
  // Rank 5.
  score.add(1, at::tensor(6.0F).squeeze(), logits({9, 8, 7, 6, 5, 0, -1}),
            at::tensor({5}, at::kLong));
  const protocol::Metrics metrics = score.metrics("val", *make_solo());
  EXPECT_DOUBLE_EQ(metrics.at("val_loss"), 3.0) << "weighted by the batches' sizes";
  EXPECT_DOUBLE_EQ(metrics.at("val_top1_error"), 0.75);
  EXPECT_DOUBLE_EQ(metrics.at("val_top5_error"), 0.25);
}

// A network that answers the same for every image must not pass for a perfect one.
TEST(Score, EqualLogitsAreRightForOneClassOnly) {
  Score score(at::kCPU, 7, 1);
  Confusion confusion(at::kCPU, 7);
  const at::Tensor equal = logits(std::vector<float>(14, 0.5F));
  const at::Tensor labels = at::tensor({0, 3}, at::kLong);
  score.add(0, at::tensor(1.0F).squeeze(), equal, labels);
  confusion.add(equal, labels);
  EXPECT_DOUBLE_EQ(score.metrics("x", *make_solo()).at("x_top1_error"), 0.5);
  EXPECT_EQ(confusion.counts()[0][0], 1);
  EXPECT_EQ(confusion.counts()[3][0], 1);
}

TEST(Score, NanLogitsAreErrors) {
  Score score(at::kCPU, 7, 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  score.add(0, at::tensor(nan).squeeze(), logits(std::vector<float>(7, nan)),
            at::tensor({0}, at::kLong));
  const protocol::Metrics metrics = score.metrics("x", *make_solo());
  EXPECT_TRUE(std::isnan(metrics.at("x_loss")));
  EXPECT_DOUBLE_EQ(metrics.at("x_top1_error"), 1);
  EXPECT_DOUBLE_EQ(metrics.at("x_top5_error"), 1);
}

TEST(Confusion, HasTrueClassesAsRowsAndPredictedOnesAsColumns) {
  Confusion confusion(at::kCPU, 3);
  confusion.add(at::tensor({0.F, 5.F, 1.F, 7.F, 0.F, 0.F}).view({2, 3}),
                at::tensor({2, 0}, at::kLong));
  confusion.add(at::tensor({0.F, 5.F, 1.F}).view({1, 3}), at::tensor({2}, at::kLong));
  EXPECT_EQ(confusion.counts(), protocol::Json({{1, 0, 0}, {0, 0, 0}, {0, 2, 0}}));
}

}  // namespace
}  // namespace windrow::worker
