#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "orchestrator/analysis/statistics.h"

namespace windrow::analysis {
namespace {

using testing::DoubleEq;
using testing::DoubleNear;
using testing::ElementsAre;

// Student's sleep data (1908), the example of R's t.test: t = -4.0621, df = 9, p = 0.002833,
// interval of the difference -2.4598858 to -0.7001142.
TEST(Statistics, PairedTestOfStudentsSleepData) {
  const std::vector<double> one = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> two = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  BySeed a, b;
  for (std::size_t i = 0; i < one.size(); ++i) {
    a[static_cast<std::int64_t>(i)] = one[i];
    b[static_cast<std::int64_t>(i)] = two[i];
  }
  const Estimate difference = paired_difference(a, b);
  EXPECT_EQ(difference.n, 10);
  EXPECT_NEAR(difference.mean, -1.58, 1e-12);
  EXPECT_NEAR(*difference.ci95, (2.4598858 - 0.7001142) / 2, 1e-7);
  EXPECT_NEAR(*difference.p, 0.002833, 5e-7);
}

TEST(Statistics, OnlySeedsThatBothHaveArePaired) {
  const Estimate difference =
      paired_difference({{0, 1.0}, {1, 5.0}, {2, 9.0}}, {{1, 4.0}, {2, 7.0}, {3, 0.0}});
  EXPECT_EQ(difference.n, 2);
  EXPECT_DOUBLE_EQ(difference.mean, 1.5);
}

TEST(Statistics, OneValueHasNoIntervalAndNoneHasNothing) {
  const Estimate one = estimate(std::vector<double>{3.0});
  EXPECT_EQ(one.n, 1);
  EXPECT_EQ(one.mean, 3.0);
  EXPECT_FALSE(one.ci95 || one.p);
  EXPECT_EQ(paired_difference({{0, 1.0}}, {{1, 1.0}}).n, 0);
}

TEST(Statistics, WithoutSpreadZeroIsSureAndAnythingElseIsNotZero) {
  const Estimate same = estimate(std::vector<double>{0.0, 0.0, 0.0});
  EXPECT_EQ(same.p, 1.0);
  EXPECT_EQ(same.ci95, 0.0);
  EXPECT_EQ(estimate(std::vector<double>{2.0, 2.0}).p, 0.0);
}

TEST(Statistics, TwoValuesHaveTheWideIntervalOfOneDegreeOfFreedom) {
  const Estimate two = estimate(std::vector<double>{1.0, 3.0});
  EXPECT_NEAR(*two.ci95, 12.7062047, 1e-6);  // t(0.975, 1), the standard error is 1
  EXPECT_NEAR(*two.p, 0.2951672, 1e-6);      // 2 P(T1 > 2)
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
BySeed by_seed(const std::vector<double>& values) {
  BySeed out;
  for (std::size_t i = 0; i < values.size(); ++i) out[static_cast<std::int64_t>(i)] = values[i];
  return out;
}

// The intervals are R's binom.test(3, 3) and binom.test(8, 10).
TEST(Statistics, SuperiorityIsTheShareOfSeedsWithItsExactInterval) {
  const Superiority all = superiority(by_seed({2, 3, 4}), by_seed({1, 1, 1}));
  EXPECT_EQ(all.n, 3);
  EXPECT_EQ(all.share, 1);
  EXPECT_NEAR(all.low, 0.2924018, 1e-7);
  EXPECT_EQ(all.high, 1);
  const Superiority most =
      superiority(by_seed({1, 1, 1, 1, 1, 1, 1, 1, 0, 0}), by_seed({0, 0, 0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_NEAR(most.low, 0.4439045, 1e-7);
  EXPECT_NEAR(most.high, 0.9747893, 1e-7);
  EXPECT_EQ(superiority(by_seed({1, 1}), by_seed({1, 1})).above, 1);  // equal ones: a half each
  EXPECT_EQ(superiority({{0, 1.0}}, {{1, 1.0}}).n, 0);
}

TEST(Statistics, ASignFlipTestOfFewSeedsHasALeastP) {
  EXPECT_EQ(least_sign_flip_p(1), 1);
  EXPECT_EQ(least_sign_flip_p(3), 0.25);
  EXPECT_EQ(least_sign_flip_p(6), 0.03125);
}

// Two differences whose mean is `effect` of their standard deviations.
std::optional<int> seeds_for(double effect) {
  const double half = std::sqrt(0.5);
  return seeds_to_tell_apart(by_seed({effect + half, effect - half}), by_seed({0, 0}));
}

// As G*Power and R's power.t.test(type = "paired") have it, rounded up.
TEST(Statistics, SeedsForAPairedTestOfPower80) {
  EXPECT_EQ(seeds_for(0.2), 199);
  EXPECT_EQ(seeds_for(0.5), 34);
  EXPECT_EQ(seeds_for(0.8), 15);
  EXPECT_EQ(seeds_for(1.0), 10);
  EXPECT_EQ(seeds_for(0.001), std::nullopt);
  EXPECT_EQ(seeds_for(0), std::nullopt);
  EXPECT_EQ(seeds_to_tell_apart(by_seed({1, 1}), by_seed({0, 0})), 2);
  EXPECT_EQ(seeds_to_tell_apart(by_seed({1}), by_seed({0})), std::nullopt);
}

TEST(Statistics, HolmAdjustsAsR) {
  EXPECT_THAT(holm_adjusted({0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12),
                          DoubleNear(0.02, 1e-12)));
  EXPECT_THAT(holm_adjusted({0.6, 0.9}), ElementsAre(DoubleEq(1.0), DoubleEq(1.0)));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

}  // namespace
}  // namespace windrow::analysis
