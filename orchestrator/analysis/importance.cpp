#include "orchestrator/analysis/importance.h"

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <cmath>
#include <map>
#include <set>

namespace windrow::analysis {
namespace {

using Observations = std::vector<std::vector<double>>;  // [cell][seed]

std::set<std::int64_t> shared_seeds(const std::vector<BySeed>& values) {
  std::set<std::int64_t> seeds;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::set<std::int64_t> here;
    for (const auto& [seed, value] : values[i])
      if (std::isfinite(value) && (i == 0 || seeds.contains(seed))) here.insert(seed);
    seeds = std::move(here);
  }
  return seeds;
}

// The values of a parameter, numbered; of each cell its number.
struct Factor {
  std::string name;
  std::vector<std::size_t> level;  // by cell
  std::size_t levels = 0;
};

Factor factor_of(const std::vector<CellResult>& cells, const std::string& name) {
  Factor factor{name, {}, 0};
  std::map<std::string, std::size_t> numbers;
  for (const CellResult& cell : cells) {
    const auto value = cell.parameters.find(name);
    const std::string text = value == cell.parameters.end() ? "" : value->dump();
    factor.level.push_back(numbers.emplace(text, numbers.size()).first->second);
  }
  factor.levels = numbers.size();
  return factor;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Mean of the cells' means at each level of these factors, in which each level has as many cells.
std::vector<double> level_means(const std::vector<double>& cell_means,
                                const std::vector<std::size_t>& level, std::size_t levels) {
  std::vector<double> sums(levels), counts(levels);
  for (std::size_t i = 0; i < level.size(); ++i) {
    sums[level[i]] += cell_means[i];
    counts[level[i]] += 1;
  }
  for (std::size_t i = 0; i < levels; ++i) sums[i] /= counts[i];
  return sums;
}

std::vector<std::size_t> both(const Factor& a, const Factor& b) {
  std::vector<std::size_t> level;
  for (std::size_t i = 0; i < a.level.size(); ++i)
    level.push_back(a.level[i] * b.levels + b.level[i]);
  return level;
}

std::string why_incomplete(const std::vector<Factor>& factors, std::size_t cells) {
  double combinations = 1;
  for (const Factor& factor : factors) combinations *= static_cast<double>(factor.levels);
  std::set<std::vector<std::size_t>> seen;
  for (std::size_t i = 0; i < cells; ++i) {
    std::vector<std::size_t> levels;
    for (const Factor& factor : factors) levels.push_back(factor.level[i]);
    seen.insert(std::move(levels));
  }
  if (static_cast<double>(seen.size()) == combinations && seen.size() == cells) return "";
  return "the cells are no complete grid: " + std::to_string(cells) + " of " +
         std::to_string(static_cast<long long>(combinations)) + " combinations";
}

}  // namespace

Importance importance_of(const std::vector<CellResult>& cells,
                         const std::vector<std::string>& parameters, const std::string& metric) {
  Importance result;
  result.metric = metric;
  result.cells = static_cast<int>(cells.size());
  std::vector<Factor> factors;
  for (const std::string& name : parameters)
    if (Factor factor = factor_of(cells, name); factor.levels > 1)
      factors.push_back(std::move(factor));
  result.why_not = factors.empty() ? "no parameter varies" : why_incomplete(factors, cells.size());
  if (!result.why_not.empty()) return result;
  std::vector<BySeed> values;
  for (const CellResult& cell : cells) values.push_back(metric_of(cell, metric).values);
  const auto seeds = shared_seeds(values);
  result.seeds = static_cast<int>(seeds.size());
  if (seeds.empty()) {
    result.why_not = "no seed has a number in every cell yet";
    return result;
  }

  const auto n = static_cast<double>(seeds.size());
  std::vector<double> cell_means;
  double within = 0;
  for (const BySeed& of_cell : values) {
    std::vector<double> used;
    for (const std::int64_t seed : seeds) used.push_back(of_cell.at(seed));
    cell_means.push_back(mean(used));
    for (const double value : used)
      within += (value - cell_means.back()) * (value - cell_means.back());
  }
  const double grand = mean(cell_means);
  double between = 0;
  for (const double value : cell_means) between += n * (value - grand) * (value - grand);
  const double total = between + within;
  if (total <= 0) {
    result.why_not = "all cells and seeds have the same number";
    return result;
  }
  result.error = within / total;
  const double error_degrees = static_cast<double>(cells.size()) * (n - 1);

  double explained = 0;
  const auto add = [&](std::vector<std::string> names, double squares, std::size_t degrees) {
    if (squares < 1e-12 * total) squares = 0;  // rounding
    Effect& effect = result.effects.emplace_back();
    effect.parameters = std::move(names);
    effect.share = squares / total;
    effect.degrees = static_cast<int>(degrees);
    explained += squares;
    if (error_degrees <= 0 || within <= 0) return;
    effect.f = (squares / static_cast<double>(degrees)) / (within / error_degrees);
    const boost::math::fisher_f_distribution<double> f(static_cast<double>(degrees), error_degrees);
    effect.p = boost::math::cdf(boost::math::complement(f, std::max(*effect.f, 0.0)));
  };
  const auto observations = n * static_cast<double>(cells.size());
  std::vector<std::vector<double>> main;
  for (const Factor& factor : factors) {
    main.push_back(level_means(cell_means, factor.level, factor.levels));
    double squares = 0;
    for (const double value : main.back())
      squares +=
          observations / static_cast<double>(factor.levels) * (value - grand) * (value - grand);
    add({factor.name}, squares, factor.levels - 1);
  }
  for (std::size_t a = 0; a < factors.size(); ++a)
    for (std::size_t b = a + 1; b < factors.size(); ++b) {
      const std::size_t levels = factors[a].levels * factors[b].levels;
      const auto means = level_means(cell_means, both(factors[a], factors[b]), levels);
      double squares = 0;
      for (std::size_t i = 0; i < levels; ++i) {
        const double beyond =
            means[i] - main[a][i / factors[b].levels] - main[b][i % factors[b].levels] + grand;
        squares += observations / static_cast<double>(levels) * beyond * beyond;
      }
      add({factors[a].name, factors[b].name}, squares,
          (factors[a].levels - 1) * (factors[b].levels - 1));
    }
  result.higher = std::max(0.0, (between - explained) / total);
  std::ranges::stable_sort(result.effects, std::greater{}, &Effect::share);
  return result;
}

}  // namespace windrow::analysis
