// How much of a metric's variance each parameter makes: the exact analysis of variance of a
// complete grid (Fisher, Statistical Methods for Research Workers, 1925).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/analysis/results.h"

namespace windrow::analysis {

struct Effect {  // of one parameter, or of two together beyond what each makes
  std::vector<std::string> parameters;
  double share = 0;  // of the variance over all cells and seeds, 0 to 1
  int degrees = 0;   // of freedom
  // Against the variance between seeds; nullopt with one seed, or where seeds are all the same.
  std::optional<double> f, p;
};

struct Importance {
  std::string metric;
  int cells = 0, seeds = 0;     // the seeds that all cells have
  std::vector<Effect> effects;  // the largest first
  double higher = 0;            // share of three and more parameters together
  double error = 0;             // of the seeds
  std::string why_not;          // "" or why there is none; then the rest says nothing
};

// Of cells that have `parameters` with each combination of their values once.
Importance importance_of(const std::vector<CellResult>& cells,
                         const std::vector<std::string>& parameters, const std::string& metric);

}  // namespace windrow::analysis
