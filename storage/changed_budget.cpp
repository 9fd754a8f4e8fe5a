#include "storage/changed_budget.h"

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

namespace windrow::storage {
namespace {

std::optional<int> budget_of(const CellRecord& cell, const std::string& budget) {
  const auto found = cell.parameters.find(budget);
  if (found == cell.parameters.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int>();
}

class Changes {
 public:
  Changes(const std::vector<CellRecord>& present, const std::vector<CellRecord>& stored,
          const BudgetRules& rules)
      : rules_(rules) {
    for (const CellRecord& cell : stored) held_.insert(cell.hash);
    for (const CellRecord& cell : present) {
      wanted_.insert(cell.hash);
      if (held_.contains(cell.hash)) continue;
      if (const auto value = budget_of(cell, rules.budget)) budgets_.insert(*value);
    }
  }

  void consider(const CellRecord& cell) {
    const auto old_budget = budget_of(cell, rules_.budget);
    // What isn't in the parameters (the early-stopping rule) must be alike, too.
    if (!old_budget || budgets_.empty() || wanted_.contains(cell.hash) ||
        rules_.cell_hash(cell.parameters) != cell.hash)
      return;
    // The least that is more: what has to be trained first.
    for (auto at = budgets_.upper_bound(*old_budget); at != budgets_.end(); ++at)
      if (auto change = change_to(cell, *old_budget, *at)) {
        offer(std::move(*change), {true, *old_budget});
        return;
      }
    std::optional<int> least;  // asked for where it matters
    for (auto at = budgets_.lower_bound(*old_budget); at != budgets_.begin();) {
      auto change = change_to(cell, *old_budget, *--at);
      if (!change) continue;
      if (!least) least = rules_.least_budget(cell.hash);
      if (*least > *at) return;
      offer(std::move(*change), {false, *least});
      return;
    }
  }

  std::vector<ChangedBudget> take() {
    std::vector<ChangedBudget> result;
    for (auto& [hash, best] : by_target_) result.push_back(std::move(best.change));
    return result;
  }

 private:
  using Merit = std::pair<bool, int>;  // raised?; by what one is chosen
  struct Best {
    ChangedBudget change;
    Merit merit;
  };

  // nullopt: the study has no such new cell.
  std::optional<ChangedBudget> change_to(const CellRecord& cell, int old_budget, int budget) const {
    Json parameters = cell.parameters;
    parameters[rules_.budget] = budget;
    std::string hash = rules_.cell_hash(parameters);
    if (!wanted_.contains(hash) || held_.contains(hash)) return std::nullopt;
    return ChangedBudget{cell.hash, std::move(hash), old_budget, budget};
  }

  void offer(ChangedBudget change, const Merit& merit) {
    const auto [found, is_new] = by_target_.try_emplace(change.to);
    if (is_new || found->second.merit < merit) found->second = {std::move(change), merit};
  }

  const BudgetRules& rules_;
  std::unordered_set<std::string> held_, wanted_;
  std::set<int> budgets_;  // of cells that are new
  std::map<std::string, Best> by_target_;
};

}  // namespace

int least_budget(TrialState state, int epochs, bool stops_early) {
  const bool stays = state == TrialState::finished && !stops_early;
  return stays ? std::numeric_limits<int>::max() : epochs;
}

std::vector<ChangedBudget> changed_budgets(const std::vector<CellRecord>& present,
                                           const std::vector<CellRecord>& stored,
                                           const BudgetRules& rules) {
  if (rules.budget.empty()) return {};
  Changes changes(present, stored, rules);
  for (const CellRecord& cell : stored) changes.consider(cell);
  return changes.take();
}

}  // namespace windrow::storage
