// Cells whose budget of epochs was raised: what has been trained of them is the beginning of what
// is wanted now. Pure. Internal to storage/ and those who plan.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/records.h"

namespace windrow::storage {

struct RaisedCell {
  std::string from, to;  // hashes, of the stored cell and of the study's
  int old_budget = 0;
  int new_budget = 0;
};

// Those of `stored` that `present`, the study's cells, has no longer, but with a greater value of
// the parameter `budget` ("" = there is none) and all else alike; of several the one with the
// greatest. One whose hash isn't that of its parameters now was trained by another early-stopping
// rule, and is none of them. A cell that is stored as it is now is none of them, as in a grid of
// several budgets. `cell_hash` gives the hash of a cell with the parameters that it is told.
std::vector<RaisedCell> raised_cells(const std::vector<CellRecord>& present,
                                     const std::vector<CellRecord>& stored,
                                     const std::string& budget,
                                     const std::function<std::string(const Json&)>& cell_hash);

}  // namespace windrow::storage
