#include <algorithm>

#include "orchestrator/scheduler/estimates.h"

namespace windrow::scheduler {

int count(const State& state, TrialPhase phase) {
  return state.trials_in_phase[static_cast<std::size_t>(phase)];
}

bool all_over(const State& state) {
  return count(state, TrialPhase::finished) + count(state, TrialPhase::failed) ==
         static_cast<int>(state.trials.size());
}

bool idle(const State& state) {
  return count(state, TrialPhase::queued) == 0 && count(state, TrialPhase::running) == 0;
}

std::optional<TrialPhase> phase_of(const State& state, TrialId trial) {
  const auto found = state.trial_index.find(trial);
  if (found == state.trial_index.end()) return std::nullopt;
  return state.trials[found->second].phase;
}

int slots_in_service(const State& state) {
  return state.slots_in_service;
}

std::vector<RunningAttempt> running_attempts(const State& state, AgentId agent) {
  std::vector<RunningAttempt> running;
  const auto found = state.agent_slots.find(agent);
  if (found == state.agent_slots.end()) return running;
  for (const int index : found->second) {
    const Slot& slot = state.slots[index];
    if (slot.started)
      running.push_back({slot.id, state.trials[slot.current.trial].id, slot.current.attempt});
  }
  return running;
}

std::optional<double> expected_remaining_seconds(const State& state) {
  const double scale = seconds_per_cost(state);
  double seconds = 0;
  std::int64_t trials = 0;
  bool measured = false;
  for (const Group& group : state.groups) {
    measured = measured || group.measured();
    trials += group.trials_left;
    seconds += group.measured() ? group.epoch_seconds() * static_cast<double>(group.epochs_left)
                                : group.cost_left * scale;
  }
  const std::int64_t parts = std::min<std::int64_t>(trials, state.slots_in_service);
  if (trials == 0) return 0;
  if (!measured || parts == 0) return std::nullopt;
  return std::max(seconds, 0.0) / static_cast<double>(parts);
}

}  // namespace windrow::scheduler
