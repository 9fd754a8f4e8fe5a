// Whose checkpoints stay after their end: `keep` and `keep_count` of the study. Pure.
#pragma once

#include <optional>
#include <vector>

#include "protocol/ids.h"
#include "sweeps/study.h"

namespace windrow {

struct FinishedTrial {
  TrialId trial;
  std::optional<AgentId> agent;  // that trained it; nullopt: an earlier run's
  std::optional<double> value;   // of the metric that is compared; nullopt or NaN is the worst
};

class KeptTrials {
 public:
  KeptTrials(sweeps::KeptCheckpoints wish, protocol::Goal goal);

  // In the order in which they finish. Returns those whose checkpoints are to go now, itself
  // perhaps among them.
  std::vector<FinishedTrial> add(const FinishedTrial& finished);

 private:
  bool is_better(const FinishedTrial& a, const FinishedTrial& b) const;

  sweeps::KeptCheckpoints wish_;
  protocol::Goal goal_;
  std::vector<FinishedTrial> kept_;  // best: the best first; last: the earliest first
};

}  // namespace windrow
