#include "orchestrator/coordinator/kept_trials.h"

#include <algorithm>
#include <cmath>

namespace windrow {

using sweeps::Keep;

KeptTrials::KeptTrials(sweeps::KeptCheckpoints wish, protocol::Goal goal)
    : wish_(wish), goal_(goal) {}

bool KeptTrials::is_better(const FinishedTrial& a, const FinishedTrial& b) const {
  const bool has_a = a.value && !std::isnan(*a.value), has_b = b.value && !std::isnan(*b.value);
  if (!has_a || !has_b) return has_a;
  return goal_ == protocol::Goal::minimize ? *a.value < *b.value : *a.value > *b.value;
}

std::vector<FinishedTrial> KeptTrials::add(const FinishedTrial& finished) {
  if (wish_.keep == Keep::none) return {finished};
  if (wish_.count == 0) return {};
  std::erase_if(kept_, [&](const FinishedTrial& other) { return other.trial == finished.trial; });
  const auto place =
      wish_.keep == Keep::last
          ? kept_.end()
          : std::upper_bound(kept_.begin(), kept_.end(), finished,
                             [&](const auto& a, const auto& b) { return is_better(a, b); });
  kept_.insert(place, finished);
  if (static_cast<int>(kept_.size()) <= wish_.count) return {};
  const auto leaves = wish_.keep == Keep::last ? kept_.begin() : kept_.end() - 1;
  const FinishedTrial out = *leaves;
  kept_.erase(leaves);
  return {out};
}

}  // namespace windrow
