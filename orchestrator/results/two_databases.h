// One study's results in two databases, cell by cell: what another program, version or machine
// changed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/analysis/results.h"
#include "storage/result_table.h"

namespace windrow {

struct ComparedCell {
  const analysis::CellResult* before = nullptr;  // nullptr: only the other one has it
  const analysis::CellResult* after = nullptr;
  analysis::Estimate of_before, of_after;  // of the metric, over the finished seeds
  analysis::Estimate difference;           // after minus before, over the seeds that both have
  std::optional<double> p_holm;            // its p, adjusted for all cells that are compared
  int same = 0;                            // seeds with the same number in both, to the bit
};

// Cells are the same where all their parameters are. In the order of `before`, then what only
// `after` has.
std::vector<ComparedCell> compare_results(const analysis::StudyResults& before,
                                          const analysis::StudyResults& after,
                                          const std::string& metric);

// Metrics that finished trials of either have.
std::vector<std::string> metrics_of(const analysis::StudyResults& results);

}  // namespace windrow
