#include "orchestrator/scheduler/estimates.h"

#include <algorithm>
#include <cmath>

namespace windrow::scheduler {

double seconds_per_cost(const State& state) {
  return state.measured_cost > 0 ? state.measured_seconds / state.measured_cost : 1;
}

double expected_until_free(const State& state, const Slot& slot) {
  const Trial& trial = state.trials[slot.current.trial];
  const Group& group = state.groups[trial.group];
  const int epochs_left = std::max(trial.epochs_left(), 1);
  if (group.measured()) return group.epoch_seconds() * epochs_left;
  return trial.declared_cost / trial.epochs * epochs_left * seconds_per_cost(state);
}

void measure(State& state, const Trial& trial, double epoch_seconds, double weight) {
  if (!std::isfinite(epoch_seconds) || epoch_seconds < 0) return;
  Group& group = state.groups[trial.group];
  group.seconds += epoch_seconds * weight;
  group.epochs_measured += weight;
  state.measured_seconds += epoch_seconds * weight;
  state.measured_cost += trial.declared_cost / trial.epochs * weight;
  state.fresh.measure(trial.group, group.epoch_seconds());
  state.retries.measure(trial.group, group.epoch_seconds());
  state.last.measure(trial.group, group.epoch_seconds());
}

void add_work_left(State& state, const Trial& trial) {
  Group& group = state.groups[trial.group];
  group.epochs_left += trial.epochs_left();
  group.cost_left += trial.cost_left();
  ++group.trials_left;
}

void remove_work_left(State& state, const Trial& trial) {
  Group& group = state.groups[trial.group];
  group.epochs_left -= trial.epochs_left();
  group.cost_left -= trial.cost_left();
  --group.trials_left;
  if (group.trials_left == 0) group.cost_left = 0;  // no rounding error stays
}

}  // namespace windrow::scheduler
