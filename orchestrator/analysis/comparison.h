// Cells compared with the best one by a metric, over the seeds that both have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/analysis/results.h"

namespace windrow::analysis {

struct AgainstBest {
  bool is_best = false;
  Estimate difference;           // the cell minus the best one; n = 0 where they share no seed
  Superiority best_better;       // on how many seeds the best one is better than this one
  std::optional<double> p_holm;  // its p, adjusted for all the cells compared
};

struct Comparison {
  std::vector<AgainstBest> cells;   // as the cells given
  std::optional<std::size_t> best;  // nullopt: none has a value
  int of = 0;                       // how many have a value
  // The best after it, of those that share a seed with it; and how many seeds would tell the two
  // apart (seeds_to_tell_apart).
  std::optional<std::size_t> second;
  std::optional<int> seeds_for_second;
  // Whether some cell could be compared: at least two seeds that it shares with the best one.
  bool possible() const;
};

// The best cell is the one with the lowest (highest) mean over its finished seeds; of equals, the
// first. Cells that are not over take part with the seeds that they have.
//
// The best cell is picked by the data that it is then compared on, which favours it a little: a
// difference beyond chance says that a cell is worse than the best one, and its absence doesn't say
// that the two are equal.
Comparison compare_with_best(const std::vector<const CellResult*>& cells,
                             const sweeps::ReportComparison& by);

}  // namespace windrow::analysis
