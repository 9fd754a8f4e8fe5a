#include "orchestrator/scheduler/ready_waves.h"

namespace windrow::scheduler {

void ReadyWaves::push(const Entry& entry) {
  while (static_cast<std::size_t>(entry.wave) >= waves_.size()) {
    ReadyQueue& wave = waves_.emplace_back();
    for (std::size_t group = 0; group < epoch_seconds_.size(); ++group)
      if (epoch_seconds_[group] > 0) wave.measure(static_cast<int>(group), epoch_seconds_[group]);
  }
  waves_[static_cast<std::size_t>(entry.wave)].push(entry);
}

std::optional<ReadyWaves::Top> ReadyWaves::top(double seconds_per_cost) const {
  for (const ReadyQueue& wave : waves_)
    if (!wave.empty()) return wave.top(seconds_per_cost);
  return std::nullopt;
}

bool ReadyWaves::remove(int group, int trial) {
  return std::ranges::any_of(waves_, [&](ReadyQueue& wave) { return wave.remove(group, trial); });
}

void ReadyWaves::measure(int group, double epoch_seconds) {
  const auto at = static_cast<std::size_t>(group);
  if (at >= epoch_seconds_.size()) epoch_seconds_.resize(at + 1);
  epoch_seconds_[at] = epoch_seconds;
  for (ReadyQueue& wave : waves_) wave.measure(group, epoch_seconds);
}

std::vector<int> ReadyWaves::trials() const {
  std::vector<int> all;
  for (const ReadyQueue& wave : waves_)
    for (const int trial : wave.trials()) all.push_back(trial);
  return all;
}

bool ReadyWaves::consistent() const {
  return std::ranges::all_of(waves_, [](const ReadyQueue& wave) { return wave.consistent(); });
}

}  // namespace windrow::scheduler
