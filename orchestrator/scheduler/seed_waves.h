// The wave in which a trial's turn comes, by its seed (TrialSpec::wave).
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::scheduler {

class SeedWaves {
 public:
  // In the order of the study's seeds; the last wave has all that are beyond kMost.
  SeedWaves(const std::vector<std::int64_t>& seeds, Order order) {
    if (order == Order::longest) return;  // all are of one wave
    for (const std::int64_t seed : seeds)
      waves_.emplace(seed, std::min(static_cast<int>(waves_.size()), kMost - 1));
  }
  int of(std::int64_t seed) const {
    const auto found = waves_.find(seed);
    return found == waves_.end() ? 0 : found->second;
  }

  static constexpr int kMost = 256;  // an event's cost grows with their number

 private:
  std::unordered_map<std::int64_t, int> waves_;
};

}  // namespace windrow::scheduler
