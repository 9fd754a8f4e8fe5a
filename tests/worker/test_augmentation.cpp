// Augmentation, by its pixels.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/rot90.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "worker/data/augmentation.h"
#include "worker/data/cifar10.h"

namespace windrow::worker {
namespace {

// The same pixels: the implementations normalise in other orders of rounding, and two values of a
// pixel are at least 0.01 apart.
bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.allclose(b, 1e-5, 1e-5);
}

// Both implementations must pass every test.
using Batch = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&, bool);

class Augmented : public testing::TestWithParam<Batch> {
 protected:
  // The images in one and the same pose.
  at::Tensor in_pose(const at::Tensor& images, const std::vector<float>& pose,
                     bool interpolate) const {
    const std::int64_t n = images.size(0);
    const at::Tensor poses = at::tensor(pose).expand({n, kPoseSize}).contiguous();
    return GetParam()(images, at::arange(n, at::kLong), poses, interpolate);
  }

  const at::Tensor images_ = at::randint(0, 256, {5, 3, 32, 32}, at::kByte);
  const at::Tensor plain_ = normalized_batch(images_, at::arange(5, at::kLong));
};

TEST_P(Augmented, TheIdentityIsTheNormalizedImage) {
  EXPECT_TRUE(same(in_pose(images_, {1, 0, 0, 1, 0}, false), plain_));
  EXPECT_TRUE(same(in_pose(images_, {1, 0, 0, 1, 0}, true), plain_));
  EXPECT_TRUE(
      in_pose(images_, {1, 0, 0, 1, 0}, false).is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_P(Augmented, BatchesAreOfTheIndexedImages) {
  const at::Tensor indices = at::tensor({4, 0, 4}, at::kLong);
  const at::Tensor poses = at::tensor({1.F, 0.F, 0.F, 1.F, 0.F}).expand({3, 5}).contiguous();
  EXPECT_TRUE(same(GetParam()(images_, indices, poses, false), normalized_batch(images_, indices)));
}

TEST_P(Augmented, AFlipMirrorsLeftToRightAndTwiceIsTheIdentity) {
  const at::Tensor flipped = in_pose(images_, {-1, 0, 0, 1, 0}, false);
  EXPECT_TRUE(same(flipped, plain_.flip({3})));
  EXPECT_FALSE(same(flipped, plain_));
  const at::Tensor mirrored = images_.flip({3}).contiguous();
  EXPECT_TRUE(same(in_pose(mirrored, {-1, 0, 0, 1, 0}, false), plain_));
}

// A marked pixel goes where it should, and what comes in at the border is the reflection: of
// columns 1, 2, 3 behind column 0.
TEST_P(Augmented, ATranslationMovesPixelsAndReflectsAtTheBorder) {
  at::Tensor marked = at::zeros({1, 3, 32, 32}, at::kByte);
  marked[0][1][10][20] = 255;
  const at::Tensor moved = in_pose(marked, {1, 3, -2, 1, 0}, false);
  const at::Tensor background = moved[0][1][0][0];
  EXPECT_GT(moved[0][1][8][23].item<float>(), background.item<float>());
  EXPECT_EQ(moved[0][1].ne(background).sum().item<int>(), 1);
  EXPECT_EQ(moved[0][0].ne(moved[0][0][0][0]).sum().item<int>(), 0) << "another channel";

  for (const int k : {1, 4, 31}) {
    const at::Tensor right = in_pose(images_, {1, static_cast<float>(k), 0, 1, 0}, false);
    EXPECT_TRUE(same(right.narrow(3, k, 32 - k), plain_.narrow(3, 0, 32 - k))) << k;
    EXPECT_TRUE(same(right.narrow(3, 0, k), plain_.narrow(3, 1, k).flip({3}))) << k;
    const at::Tensor up = in_pose(images_, {1, 0, static_cast<float>(-k), 1, 0}, false);
    EXPECT_TRUE(same(up.narrow(2, 0, 32 - k), plain_.narrow(2, k, 32 - k))) << k;
    EXPECT_TRUE(same(up.narrow(2, 32 - k, k), plain_.narrow(2, 31 - k, k).flip({2}))) << k;
  }
}

TEST_P(Augmented, AMirroredImageIsMovedAfterwards) {
  const at::Tensor both = in_pose(images_, {-1, 5, 0, 1, 0}, false);
  EXPECT_TRUE(same(both.narrow(3, 5, 27), plain_.flip({3}).narrow(3, 0, 27)));
}

TEST_P(Augmented, ARightAngleIsRot90) {
  EXPECT_TRUE(
      in_pose(images_, {1, 0, 0, 0, 1}, true).allclose(at::rot90(plain_, 1, {2, 3}), 1e-4, 1e-4));
  EXPECT_TRUE(
      in_pose(images_, {1, 0, 0, -1, 0}, true).allclose(at::rot90(plain_, 2, {2, 3}), 1e-4, 1e-4));
}

// On a ramp of brightness, which bilinear sampling keeps: twice as large is half as steep, about
// the centre.
TEST_P(Augmented, AZoomScalesAboutTheCentre) {
  const at::Tensor ramp = at::arange(0, 32, at::kByte).mul(4).expand({1, 3, 32, 32}).contiguous();
  const at::Tensor plain = normalized_batch(ramp, at::arange(1, at::kLong));
  const at::Tensor larger = in_pose(ramp, {1, 0, 0, 0.5, 0}, true);
  for (const int x : {0, 7, 16, 31}) {
    const double source = (x - 15.5) / 2 + 15.5;
    const double step = (plain[0][0][0][1] - plain[0][0][0][0]).item<double>();
    EXPECT_NEAR(larger[0][0][9][x].item<double>(), plain[0][0][0][0].item<double>() + source * step,
                1e-4)
        << x;
  }
}

TEST_P(Augmented, AgreesWithTheOperatorsInAnyPose) {
  const Augmentation all{.flip = true, .translate = 9, .rotate = 180, .zoom = 0.9};
  const at::Tensor poses = draw_poses(all, 3, 1, 200);
  const at::Tensor indices = at::randint(0, 5, {200}, at::kLong);
  for (const bool interpolate : {false, true}) {
    const at::Tensor ours = GetParam()(images_, indices, poses, interpolate);
    const at::Tensor theirs = augmented_batch_by_operators(images_, indices, poses, interpolate);
    // The steepest edge between two pixels is 4, times a rounding of coordinates up to some
    // hundred.
    EXPECT_LT((ours - theirs).abs().max().item<double>(), interpolate ? 2e-3 : 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Augmented,
                         testing::Values(augmented_batch, augmented_batch_by_operators),
                         [](const auto& info) { return info.index == 0 ? "Loop" : "Operators"; });

TEST(Poses, AreAFunctionOfSeedEpochAndPosition) {
  const Augmentation all{.flip = true, .translate = 4, .rotate = 15, .zoom = 0.1};
  const at::Tensor poses = draw_poses(all, 3, 1, 1000);
  EXPECT_TRUE(poses.narrow(0, 0, 10).equal(draw_poses(all, 3, 1, 10)));
  EXPECT_FALSE(poses.equal(draw_poses(all, 3, 2, 1000)));
  EXPECT_FALSE(poses.equal(draw_poses(all, 4, 1, 1000)));
}

TEST(Poses, CoverTheirRangesEvenly) {
  const at::Tensor poses =
      draw_poses({.flip = true, .translate = 2, .rotate = 30, .zoom = 0.2}, 0, 1, 20000);
  EXPECT_NEAR(poses.select(1, 0).lt(0).to(at::kDouble).mean().item<double>(), 0.5, 0.02);
  for (const int axis : {1, 2})
    for (const int pixels : {-2, -1, 0, 1, 2})
      EXPECT_NEAR(poses.select(1, axis).eq(pixels).to(at::kDouble).mean().item<double>(), 0.2,
                  0.02);
  const at::Tensor scale = 1 / (poses.select(1, 3).square() + poses.select(1, 4).square()).sqrt();
  EXPECT_NEAR(scale.min().item<double>(), 0.8, 0.01);
  EXPECT_NEAR(scale.max().item<double>(), 1.2, 0.01);
  const double sine = (poses.select(1, 4) * scale).max().item<double>();
  EXPECT_NEAR(std::asin(sine) * 180 / 3.14159265, 30, 0.1);
  EXPECT_LT((poses.select(1, 4) * scale).min().item<double>(), -0.49);
}

TEST(Poses, WithoutSettingsAreTheIdentity) {
  EXPECT_FALSE(Augmentation{}.any());
  const at::Tensor identity = at::tensor({1.F, 0.F, 0.F, 1.F, 0.F}).expand({9, 5});
  EXPECT_TRUE(draw_poses({}, 0, 1, 9).equal(identity));
}

}  // namespace
}  // namespace windrow::worker
