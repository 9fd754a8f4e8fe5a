#include "orchestrator/analysis/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace windrow::analysis {

Estimate estimate(const std::vector<double>& values) {
  Estimate out;
  out.n = static_cast<int>(values.size());
  if (values.empty()) return out;
  const double n = out.n;
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (out.n < 2) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  const double error = std::sqrt(squares / (n - 1) / n);
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

Estimate paired_difference(const BySeed& a, const BySeed& b) {
  std::vector<double> differences;
  for (const auto& [seed, value] : a)
    if (const auto other = b.find(seed); other != b.end())
      differences.push_back(value - other->second);
  return estimate(differences);
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
