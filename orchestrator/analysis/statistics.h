// Means with intervals, paired comparisons and their adjustment for several at once. Student's t
// comes from Boost.Math.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace windrow::analysis {

// A metric by seed.
using BySeed = std::map<std::int64_t, double>;

// An estimated mean. Without a spread (n < 2) only n and mean say something.
struct Estimate {
  int n = 0;
  double mean = 0;             // of n > 0
  std::optional<double> ci95;  // half-width of the 95% interval: t(0.975, n - 1) sd / sqrt(n)
  std::optional<double> p;  // two-sided, of Student's t-test of "the true mean is 0". Values that
                            // are all the same: 1 where they are 0, else 0
};

Estimate estimate(const std::vector<double>& values);
Estimate estimate(const BySeed& values);

// Of the differences a - b over the seeds that both have: the paired t-test.
Estimate paired_difference(const BySeed& a, const BySeed& b);

// On how many of the seeds that both have is a above b (equal ones count a half), and how likely
// that is on any seed: the share with its exact 95% interval (Clopper and Pearson, Biometrika 26,
// 1934). n = 0: they share none.
struct Superiority {
  int n = 0;
  double above = 0;
  double share = 0, low = 0, high = 1;
};
Superiority superiority(const BySeed& a, const BySeed& b);

// The least p-value that a two-sided sign-flip test of n paired differences can have: 2 / 2^n.
double least_sign_flip_p(int n);

// How many seeds a paired t-test at 5% needs to see the mean difference of a - b with the given
// power, were it and the spread those of the seeds that both have. nullopt: fewer than two shared,
// no difference, or more than 10,000.
std::optional<int> seeds_to_tell_apart(const BySeed& a, const BySeed& b, double power = 0.8);

// Holm's step-down adjustment (Scand. J. Statist. 6, 1979) of the p-values of one family: an
// adjusted p below 0.05 keeps the chance of any false claim in the family below 5%. Same order as
// `p`; each at least as large as its p and at most 1.
std::vector<double> holm_adjusted(const std::vector<double>& p);

}  // namespace windrow::analysis
