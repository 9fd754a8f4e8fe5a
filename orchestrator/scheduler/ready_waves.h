// Trials that wait for a slot, wave by wave: those of a later wave only where none of an earlier
// one waits. Within a wave longest expected first.
#pragma once

#include <algorithm>
#include <vector>

#include "orchestrator/scheduler/ready_queue.h"

namespace windrow::scheduler {

class ReadyWaves {
 public:
  using Entry = ReadyQueue::Entry;
  using Top = ReadyQueue::Top;

  bool empty() const {
    return std::ranges::all_of(waves_, [](const ReadyQueue& wave) { return wave.empty(); });
  }
  void push(const Entry& entry);
  std::optional<Top> top(double seconds_per_cost) const;  // nullopt: empty
  void pop(const Top& top) { waves_[static_cast<std::size_t>(top.entry.wave)].pop(top); }
  bool remove(int group, int trial);
  void measure(int group, double epoch_seconds);

  // For checks.
  std::vector<int> trials() const;
  bool consistent() const;

 private:
  std::vector<ReadyQueue> waves_;
  std::vector<double> epoch_seconds_;  // by group; 0: not measured
};

}  // namespace windrow::scheduler
