// Cells whose budget of epochs has changed: what has been trained of them is the beginning of what
// is wanted now. Pure. Internal to storage/ and those who plan.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/records.h"

namespace windrow::storage {

struct ChangedBudget {
  std::string from, to;  // hashes, of the stored cell and of the study's
  int old_budget = 0;
  int new_budget = 0;
  bool is_raised() const { return new_budget > old_budget; }
};

// The least budget to which the cell of such a trial can be cut. One that has finished stays as it
// is; but what stopped early would have done so with any budget that is no less than its epochs.
int least_budget(TrialState state, int epochs, bool stops_early);

struct BudgetRules {
  std::string budget;  // the parameter; "" = there is none
  // The hash of a cell with the parameters that it is told.
  std::function<std::string(const Json& parameters)> cell_hash;
  // The least budget that a stored cell can be cut to: its trials have had so many epochs.
  std::function<int(const std::string& hash)> least_budget;
};

// Those of `stored` that `present`, the study's cells, has no longer, but with another value of the
// budget and all else alike. They go on to the next greater one; where there is none, to the next
// smaller one that their trials have not gone beyond. Of several cells for one, the one with the
// greatest budget that is raised, else the one that has been trained longest. One whose hash isn't
// that of its parameters now was trained by another early-stopping rule, and is none of them. A
// cell that is stored as it is now is none of them, as in a grid of several budgets.
std::vector<ChangedBudget> changed_budgets(const std::vector<CellRecord>& present,
                                           const std::vector<CellRecord>& stored,
                                           const BudgetRules& rules);

}  // namespace windrow::storage
