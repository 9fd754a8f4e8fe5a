#include <algorithm>
#include <cmath>

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

namespace {

using Fault = std::optional<std::string>;

std::string name(const Trial& trial) {
  return "trial " + std::to_string(trial.id.value);
}
std::string name(const Slot& slot) {
  return "slot " + std::to_string(slot.id.value);
}

// Each trial is where its phase says: pending in one ready queue, queued or running in one slot.
Fault check_trials(const State& state, const std::vector<int>& in_queue,
                   const std::vector<int>& in_slot) {
  std::array<int, 5> phases{};
  for (std::size_t i = 0; i < state.trials.size(); ++i) {
    const Trial& trial = state.trials[i];
    ++phases[static_cast<std::size_t>(trial.phase)];
    const bool pending = trial.phase == TrialPhase::pending;
    const bool placed = trial.phase == TrialPhase::queued || trial.phase == TrialPhase::running;
    if (in_queue[i] != pending)
      return name(trial) + " is " + std::to_string(in_queue[i]) + " times in the ready queues";
    if (in_slot[i] != placed)
      return name(trial) + " is in " + std::to_string(in_slot[i]) + " places of slots";
    if ((trial.slot != kNone) != placed) return name(trial) + " has a slot it isn't in";
    for (const int slot : trial.helpers)
      if (state.slots[slot].help.trial != static_cast<int>(i))
        return name(trial) + " has a helper that doesn't help it";
    if (!trial.helpers.empty() && trial.phase != TrialPhase::running)
      return name(trial) + " has helpers, but doesn't run";
    if (trial.epochs_done < 0 || trial.epochs_done > trial.furthest ||
        trial.furthest > trial.epochs)
      return name(trial) + " has more epochs done than it has";
  }
  if (phases != state.trials_in_phase) return "the counts by phase are wrong";
  return std::nullopt;
}

Fault check_place(const State& state, const Slot& slot, int index, const Assignment& place,
                  bool running) {
  const Trial& trial = state.trials[place.trial];
  if (trial.slot != index) return name(slot) + " holds " + name(trial) + ", which is elsewhere";
  if (trial.phase != (running ? TrialPhase::running : TrialPhase::queued))
    return name(slot) + ": the phase of " + name(trial) + " is not that of its place";
  if (place.attempt != trial.attempts + (running ? 0 : 1))
    return name(slot) + " holds attempt " + std::to_string(place.attempt) + " of " + name(trial) +
           ", which has begun " + std::to_string(trial.attempts);
  return std::nullopt;
}

Fault check_slot(const State& state, int index) {
  const Slot& slot = state.slots[index];
  if (!slot.current && (slot.started || slot.next))
    return name(slot) + " has no current attempt, but one behind it";
  if (!slot.alive && slot.current) return name(slot) + " is gone, but holds a trial";
  for (const Assignment* place : {&slot.current, &slot.next}) {
    if (!*place) continue;
    const bool running = place == &slot.current && slot.started;
    if (auto fault = check_place(state, slot, index, *place, running)) return fault;
    if (running && place->withdrawing) return name(slot) + ": what runs there is being withdrawn";
    if (slot.drained && !running && !place->withdrawing && !state.stopping)
      return name(slot) + " is drained, but keeps what is queued there";
  }
  if (slot.help) {
    if (slot.current) return name(slot) + " helps and has a trial of its own";
    const std::vector<int>& helpers = state.trials[slot.help.trial].helpers;
    if (std::ranges::count(helpers, index) != (slot.help.released ? 0 : 1))
      return name(slot) + " helps " + name(state.trials[slot.help.trial]) +
             ", which does not know it so";
  }
  const bool usable = slot.in_service();
  const bool victim = usable && slot.next && !slot.next.withdrawing;
  if (state.vacant.contains(index) != (usable && !slot.current && !slot.resting && !slot.help) ||
      state.open.contains(index) != (usable && slot.current && !slot.next && !slot.suspect()) ||
      state.victims.contains(index) != victim ||
      slot.awaited != (usable && slot.next && slot.next.withdrawing))
    return name(slot) + " is indexed wrongly";
  return std::nullopt;
}

Fault check_totals(const State& state) {
  int in_service = 0, awaited = 0, agents = 0, lent = 0;
  for (const Slot& slot : state.slots) {
    in_service += slot.in_service();
    lent += slot.help.threads;
    awaited += slot.awaited;
  }
  for (const auto& [id, agent] : state.agents) agents += agent.in_service > 0;
  if (agents != state.agents_in_service) return "the count of agents in service is wrong";
  if (in_service != state.slots_in_service) return "the count of slots in service is wrong";
  if (awaited != state.withdrawals_awaited) return "the count of withdrawals is wrong";
  const auto takers = std::ranges::count_if(
      state.trials, [](const Trial& trial) { return trial.takes == Takes::threads; });
  if (lent != state.threads_lent) return "the count of slots whose threads are lent is wrong";
  if (takers != state.thread_takers) return "the count of attempts that take threads is wrong";
  std::vector<Group> left(state.groups.size());
  for (const Trial& trial : state.trials) {
    if (trial.phase == TrialPhase::finished || trial.phase == TrialPhase::failed) continue;
    left[trial.group].epochs_left += trial.epochs_left();
    left[trial.group].cost_left += trial.cost_left();
    ++left[trial.group].trials_left;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    const Group& group = state.groups[i];
    if (group.epochs_left != left[i].epochs_left || group.trials_left != left[i].trials_left ||
        std::abs(group.cost_left - left[i].cost_left) > 1e-6 * (1 + left[i].cost_left))
      return "the work left of a group is wrong";
  }
  return std::nullopt;
}

// No slot stands vacant while a trial waits that any slot may take.
Fault check_work_conserving(const State& state) {
  const bool in_time = state.seconds_left == std::numeric_limits<double>::infinity();
  const bool kept_for_gangs = !state.gangs.automatic && state.gangs.members > 1;
  if (!state.stopping && in_time && !kept_for_gangs && !state.fresh.empty() &&
      !(state.vacant.empty() && state.open.empty()))
    return "a slot has room while trials wait";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_invariants(const State& state) {
  if (!state.fresh.consistent() || !state.retries.consistent() || !state.last.consistent())
    return "a ready queue is out of order";
  std::vector<int> in_queue(state.trials.size()), in_slot(state.trials.size());
  for (const ReadyWaves* queue : {&state.fresh, &state.retries, &state.last})
    for (const int trial : queue->trials()) ++in_queue[trial];
  for (std::size_t i = 0; i < state.slots.size(); ++i) {
    for (const Assignment* place : {&state.slots[i].current, &state.slots[i].next})
      if (*place) ++in_slot[place->trial];
    if (auto fault = check_slot(state, static_cast<int>(i))) return fault;
  }
  if (auto fault = check_trials(state, in_queue, in_slot)) return fault;
  if (auto fault = check_totals(state)) return fault;
  return check_work_conserving(state);
}

}  // namespace windrow::scheduler
