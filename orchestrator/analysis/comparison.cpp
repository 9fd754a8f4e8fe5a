#include "orchestrator/analysis/comparison.h"

#include <algorithm>
#include <cmath>

namespace windrow::analysis {

bool Comparison::possible() const {
  return std::ranges::any_of(cells,
                             [](const AgainstBest& cell) { return cell.p_holm.has_value(); });
}

Comparison compare_with_best(const std::vector<const CellResult*>& cells,
                             const sweeps::ReportComparison& by) {
  const bool lower = by.goal == protocol::Goal::minimize;
  Comparison out;
  out.cells.resize(cells.size());
  std::vector<BySeed> values;
  std::vector<double> means(cells.size());  // of those that have a value
  double best_mean = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    values.push_back(metric_of(*cells[i], by.metric).values);
    if (values.back().empty()) continue;
    ++out.of;
    means[i] = estimate(values.back()).mean;
    const bool better = lower ? means[i] < best_mean : means[i] > best_mean;
    if (out.best && !better) continue;
    out.best = i;
    best_mean = means[i];
  }
  if (!out.best) return out;
  std::vector<double> p;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out.cells[i].is_best = i == *out.best;
    if (out.cells[i].is_best) continue;
    out.cells[i].difference = paired_difference(values[i], values[*out.best]);
    if (out.cells[i].difference.p) p.push_back(*out.cells[i].difference.p);
    const BySeed &best = values[*out.best], &other = values[i];
    out.cells[i].best_better = lower ? superiority(other, best) : superiority(best, other);
    if (out.cells[i].best_better.n == 0) continue;
    const auto behind = [&](std::size_t cell) { return std::abs(means[cell] - best_mean); };
    if (!out.second || behind(i) < behind(*out.second)) out.second = i;
  }
  if (out.second)
    out.seeds_for_second = seeds_to_tell_apart(values[*out.second], values[*out.best]);
  const std::vector<double> adjusted = holm_adjusted(p);
  std::size_t next = 0;
  for (AgainstBest& cell : out.cells)
    if (cell.difference.p) cell.p_holm = adjusted[next++];
  return out;
}

}  // namespace windrow::analysis
