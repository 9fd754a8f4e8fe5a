// Results made by hand.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "orchestrator/analysis/results.h"

namespace windrow::analysis {

inline TrialResult finished(double loss) {
  TrialResult trial;
  trial.state = TrialResult::State::finished;
  if (!std::isnan(loss)) trial.metrics["loss"] = loss;
  return trial;
}
inline TrialResult failed(const std::string& kind) {
  TrialResult trial;
  trial.state = TrialResult::State::failed;
  trial.failure = kind;
  return trial;
}
inline TrialResult open_trial() {
  return {};
}

// A cell whose trials have the seeds 0, 1, ...
inline CellResult cell_of(sweeps::Json parameters, std::vector<TrialResult> trials,
                          std::vector<std::string> stages = {"main"}) {
  CellResult result;
  result.parameters = std::move(parameters);
  result.stages = std::move(stages);
  for (std::size_t i = 0; i < trials.size(); ++i) trials[i].seed = static_cast<std::int64_t>(i);
  result.trials = std::move(trials);
  return result;
}

inline CellResult cell(sweeps::Json parameters, const std::vector<double>& losses,
                       std::vector<std::string> stages = {"main"}) {
  std::vector<TrialResult> trials;
  for (const double loss : losses) trials.push_back(finished(loss));
  return cell_of(std::move(parameters), std::move(trials), std::move(stages));
}

}  // namespace windrow::analysis
