#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/optim/plateau.h"

namespace windrow::worker {
namespace {

using testing::ElementsAre;

std::vector<double> rates(Plateau& plateau, const std::vector<double>& values) {
  std::vector<double> rates;
  for (const double value : values) {
    plateau.observe(value);
    rates.push_back(plateau.lr());
  }
  return rates;
}

// As torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5, patience=1, threshold=0.1) of PyTorch
// 2.11 does with lr 1: two epochs in a row without a tenth's improvement halve the rate.
TEST(Plateau, ReducesAsPyTorchDoes) {
  Plateau plateau({.metric = "val_loss", .factor = 0.5, .patience = 1, .threshold = 0.1}, 1);
  EXPECT_THAT(rates(plateau, {1.0, 0.95, 0.91, 0.92, 0.89, 0.85, 0.82, 0.81, 0.5, 0.6, 0.7}),
              ElementsAre(1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125));
}

TEST(Plateau, WithTheDefaultsWaitsForElevenBadEpochs) {
  Plateau plateau({.metric = "val_loss"}, 0.01);
  const std::vector<double> seen = rates(plateau, std::vector<double>(12, 1.0));
  EXPECT_EQ(seen[10], 0.01) << "the first value is the best, ten bad ones are borne with";
  EXPECT_DOUBLE_EQ(seen[11], 0.001);
}

TEST(Plateau, GoesNoLowerThanItsMinimumAndMakesNoTinyChange) {
  Plateau plateau({.metric = "m", .factor = 0.1, .patience = 0, .min_lr = 0.05}, 1);
  EXPECT_THAT(rates(plateau, {1, 1, 1, 1}), ElementsAre(1, 0.1, 0.05, 0.05));
  Plateau tiny({.metric = "m", .factor = 0.1, .patience = 0}, 1e-8);
  EXPECT_THAT(rates(tiny, {1, 1}), ElementsAre(1e-8, 1e-8));
}

TEST(Plateau, ANanIsNoImprovement) {
  Plateau plateau({.metric = "m", .factor = 0.5, .patience = 0}, 1);
  EXPECT_THAT(rates(plateau, {std::nan(""), 1, 2}), ElementsAre(0.5, 0.5, 0.25));
}

TEST(Plateau, GoesOnFromItsState) {
  const PlateauSettings settings{.metric = "m", .factor = 0.5, .patience = 1};
  Plateau whole(settings, 1), before(settings, 1), after(settings, 1);
  rates(whole, {1, 2});
  rates(before, {1, 2});
  after.state().copy_(before.state());
  EXPECT_EQ(rates(after, {2, 0.9, 2, 2}), rates(whole, {2, 0.9, 2, 2}));
  EXPECT_EQ(after.lr(), 0.25);
}

}  // namespace
}  // namespace windrow::worker
