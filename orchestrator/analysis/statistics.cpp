#include "orchestrator/analysis/statistics.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace windrow::analysis {
namespace {

// Of the sample, about its mean.
double deviation_of(const std::vector<double>& values, double mean) {
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

Estimate estimate(const std::vector<double>& values) {
  Estimate out;
  out.n = static_cast<int>(values.size());
  if (values.empty()) return out;
  const double n = out.n;
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (out.n < 2) return out;
  const double error = deviation_of(values, out.mean) / std::sqrt(n);
  const boost::math::students_t distribution(n - 1);
  out.ci95 = error * boost::math::quantile(boost::math::complement(distribution, 0.025));
  if (error > 0) {
    const double t = std::abs(out.mean) / error;
    out.p = std::min(1.0, 2 * boost::math::cdf(boost::math::complement(distribution, t)));
  } else {
    out.p = out.mean == 0 ? 1.0 : 0.0;
  }
  return out;
}

Estimate estimate(const BySeed& values) {
  std::vector<double> list;
  for (const auto& [seed, value] : values) list.push_back(value);
  return estimate(list);
}

namespace {

std::vector<double> differences(const BySeed& a, const BySeed& b) {
  std::vector<double> found;
  for (const auto& [seed, value] : a)
    if (const auto other = b.find(seed); other != b.end()) found.push_back(value - other->second);
  return found;
}

// Of a two-sided t-test at 5% of n values whose mean is `effect` standard deviations from 0.
double power_of(double effect, int n) {
  const double freedom = n - 1;
  const boost::math::students_t null(freedom);
  const double critical = boost::math::quantile(boost::math::complement(null, 0.025));
  const boost::math::non_central_t seen(freedom, effect * std::sqrt(static_cast<double>(n)));
  return boost::math::cdf(boost::math::complement(seen, critical)) +
         boost::math::cdf(seen, -critical);
}

}  // namespace

Estimate paired_difference(const BySeed& a, const BySeed& b) {
  return estimate(differences(a, b));
}

Superiority superiority(const BySeed& a, const BySeed& b) {
  Superiority out;
  for (const double difference : differences(a, b)) {
    ++out.n;
    out.above += difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
  }
  if (out.n == 0) return out;
  const double below = out.n - out.above;
  out.share = out.above / out.n;
  if (out.above > 0)
    out.low = boost::math::quantile(boost::math::beta_distribution<>(out.above, below + 1), 0.025);
  if (below > 0)
    out.high = boost::math::quantile(
        boost::math::complement(boost::math::beta_distribution<>(out.above + 1, below), 0.025));
  return out;
}

double least_sign_flip_p(int n) {
  return std::min(1.0, std::ldexp(2.0, -n));
}

std::optional<int> seeds_to_tell_apart(const BySeed& a, const BySeed& b, double power) {
  constexpr int kMost = 10'000;
  const std::vector<double> found = differences(a, b);
  if (found.size() < 2) return std::nullopt;
  const double mean = estimate(found).mean;
  const double deviation = deviation_of(found, mean);
  if (mean == 0) return std::nullopt;
  if (deviation == 0) return 2;
  const double effect = std::abs(mean) / deviation;
  if (power_of(effect, kMost) < power) return std::nullopt;
  int low = 1, high = kMost;  // too few, enough
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (power_of(effect, middle) < power ? low : high) = middle;
  }
  return high;
}

std::vector<double> holm_adjusted(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto remaining = static_cast<double>(p.size() - i);
    largest = std::max(largest, std::min(1.0, remaining * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

}  // namespace windrow::analysis
