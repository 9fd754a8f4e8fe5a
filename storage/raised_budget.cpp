#include "storage/raised_budget.h"

#include <map>
#include <optional>
#include <set>
#include <unordered_set>

namespace windrow::storage {
namespace {

std::optional<int> budget_of(const CellRecord& cell, const std::string& budget) {
  const auto found = cell.parameters.find(budget);
  if (found == cell.parameters.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int>();
}

}  // namespace

std::vector<RaisedCell> raised_cells(const std::vector<CellRecord>& present,
                                     const std::vector<CellRecord>& stored,
                                     const std::string& budget,
                                     const std::function<std::string(const Json&)>& cell_hash) {
  if (budget.empty()) return {};
  std::unordered_set<std::string> held, wanted;
  for (const CellRecord& cell : stored) held.insert(cell.hash);
  std::set<int> budgets;  // of cells that are new
  for (const CellRecord& cell : present) {
    wanted.insert(cell.hash);
    if (held.contains(cell.hash)) continue;
    if (const auto value = budget_of(cell, budget)) budgets.insert(*value);
  }
  if (budgets.empty()) return {};
  std::map<std::string, RaisedCell> by_target;
  for (const CellRecord& cell : stored) {
    const auto old_budget = budget_of(cell, budget);
    if (!old_budget || wanted.contains(cell.hash)) continue;
    // What isn't in the parameters (the early-stopping rule) must be alike, too.
    if (budgets.upper_bound(*old_budget) == budgets.end() ||
        cell_hash(cell.parameters) != cell.hash)
      continue;
    Json parameters = cell.parameters;
    // The least that is more: what has to be trained first.
    for (auto at = budgets.upper_bound(*old_budget); at != budgets.end(); ++at) {
      parameters[budget] = *at;
      std::string hash = cell_hash(parameters);
      if (!wanted.contains(hash) || held.contains(hash)) continue;
      RaisedCell& raised = by_target[hash];
      if (raised.old_budget < *old_budget) raised = {cell.hash, hash, *old_budget, *at};
      break;
    }
  }
  std::vector<RaisedCell> result;
  for (auto& [hash, raised] : by_target) result.push_back(std::move(raised));
  return result;
}

}  // namespace windrow::storage
