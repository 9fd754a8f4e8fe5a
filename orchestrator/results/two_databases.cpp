#include "orchestrator/results/two_databases.h"

#include <algorithm>
#include <set>

#include "sweeps/canonical.h"

namespace windrow {

std::vector<ComparedCell> compare_results(const analysis::StudyResults& before,
                                          const analysis::StudyResults& after,
                                          const std::string& metric) {
  std::map<std::string, const analysis::CellResult*> others;
  for (const analysis::CellResult& cell : after.cells)
    others.emplace(sweeps::canonical(cell.parameters), &cell);
  std::vector<ComparedCell> cells;
  for (const analysis::CellResult& cell : before.cells) {
    const auto other = others.find(sweeps::canonical(cell.parameters));
    cells.push_back({.before = &cell});
    if (other == others.end()) continue;
    cells.back().after = other->second;
    others.erase(other);
  }
  for (const analysis::CellResult& cell : after.cells)
    if (others.contains(sweeps::canonical(cell.parameters))) cells.push_back({.after = &cell});
  std::vector<double> p;
  for (ComparedCell& cell : cells) {
    const auto values = [&](const analysis::CellResult* of) {
      return of == nullptr ? analysis::BySeed{} : metric_of(*of, metric).values;
    };
    const analysis::BySeed old = values(cell.before), fresh = values(cell.after);
    cell.of_before = analysis::estimate(old);
    cell.of_after = analysis::estimate(fresh);
    cell.difference = analysis::paired_difference(fresh, old);
    for (const auto& [seed, value] : fresh) {
      const auto found = old.find(seed);
      cell.same += found != old.end() && found->second == value;
    }
    if (cell.difference.p) p.push_back(*cell.difference.p);
  }
  const std::vector<double> adjusted = analysis::holm_adjusted(p);
  std::size_t next = 0;
  for (ComparedCell& cell : cells)
    if (cell.difference.p) cell.p_holm = adjusted[next++];
  return cells;
}

std::vector<std::string> metrics_of(const analysis::StudyResults& results) {
  std::set<std::string> names;
  for (const analysis::CellResult& cell : results.cells)
    for (const analysis::TrialResult& trial : cell.trials)
      for (const auto& [name, value] : trial.metrics) names.insert(name);
  return {names.begin(), names.end()};
}

}  // namespace windrow
