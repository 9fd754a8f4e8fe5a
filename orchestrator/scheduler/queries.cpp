#include <algorithm>

#include "orchestrator/scheduler/attempts.h"
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

bool is_refused(const State& state, TrialId trial) {
  const auto found = state.trial_index.find(trial);
  return found != state.trial_index.end() &&
         state.trials[found->second].doomed == FailureKind::spec;
}

std::optional<TrialPhase> phase_of(const State& state, TrialId trial) {
  const auto found = state.trial_index.find(trial);
  if (found == state.trial_index.end()) return std::nullopt;
  return state.trials[found->second].phase;
}

int slots_in_service(const State& state) {
  return state.slots_in_service;
}

Held held(const State& state, SlotId slot_id, TrialId trial, int attempt) {
  const int index = slot_holding(state, slot_id, trial, attempt);
  if (index == kNone) return Held::no;
  const Slot& slot = state.slots[index];
  return slot.started && state.trials[slot.current.trial].id == trial ? Held::begun : Held::queued;
}

std::vector<HeldAttempt> held_attempts(const State& state, AgentId agent) {
  std::vector<HeldAttempt> found;
  const auto owner = state.agents.find(agent);
  if (owner == state.agents.end()) return found;
  for (const int index : owner->second.slots) {
    const Slot& slot = state.slots[index];
    for (const Assignment* place : {&slot.current, &slot.next})
      if (*place)
        found.push_back({slot.id, state.trials[place->trial].id, place->attempt,
                         place == &slot.current && slot.started});
  }
  return found;
}

bool in_service(const State& state, SlotId slot) {
  const auto found = state.slot_index.find(slot);
  return found != state.slot_index.end() && state.slots[found->second].in_service();
}

bool out_of_time(const State& state) {
  return !state.stopping && state.seconds_left < std::numeric_limits<double>::infinity() &&
         idle(state) && count(state, TrialPhase::pending) > 0 &&
         (!state.vacant.empty() || state.seconds_left <= 0);
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
