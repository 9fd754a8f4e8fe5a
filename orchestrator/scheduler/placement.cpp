#include "orchestrator/scheduler/placement.h"

#include <algorithm>

#include "orchestrator/scheduler/estimates.h"

namespace windrow::scheduler {

namespace {

// How many candidates are looked at when the first ones don't fit, so that an event's cost has a
// bound. Progress does not depend on it: the first candidate fits some slot in service.
constexpr std::size_t kCandidates = 16;

void put_ready(State& state, int index) {
  const Trial& trial = state.trials[index];
  ReadyQueue& queue = trial.failed_on.empty() ? state.fresh : state.retries;
  queue.push({index, trial.group, trial.epochs_left(), trial.cost_left()});
}

bool failed_everywhere(const State& state, const Trial& trial) {
  const auto in_service = [&](int slot) { return state.slots[slot].in_service(); };
  return std::count_if(trial.failed_on.begin(), trial.failed_on.end(), in_service) >=
         state.slots_in_service;
}

bool accepts(const State& state, const Trial& trial, int slot) {
  const auto& avoid = trial.failed_on;
  return std::find(avoid.begin(), avoid.end(), slot) == avoid.end() ||
         failed_everywhere(state, trial);
}

bool accepts_a_vacant_slot(const State& state, const Trial& trial) {
  const auto vacant = [&](int slot) { return state.vacant.contains(slot); };
  const auto avoided = std::count_if(trial.failed_on.begin(), trial.failed_on.end(), vacant);
  return static_cast<std::size_t>(avoided) < state.vacant.size() || failed_everywhere(state, trial);
}

// Takes the longest expected trial that the slot may have out of its queue; kNone: there is none.
int take_trial_for(State& state, int slot) {
  const double scale = seconds_per_cost(state);
  const auto fresh = state.fresh.top(scale);
  int taken = kNone;
  std::vector<int> refused;
  while (taken == kNone && refused.size() < kCandidates) {
    const auto retry = state.retries.top(scale);
    if (!retry || (fresh && fresh->expected > retry->expected)) break;
    state.retries.pop(*retry);
    if (accepts(state, state.trials[retry->entry.trial], slot))
      taken = retry->entry.trial;
    else
      refused.push_back(retry->entry.trial);
  }
  for (const int trial : refused) put_ready(state, trial);
  if (taken == kNone && fresh) {
    state.fresh.pop(*fresh);
    taken = fresh->entry.trial;
  }
  return taken;
}

void assign(State& state, int slot_index, int trial_index, Commands& out) {
  Slot& slot = state.slots[slot_index];
  Trial& trial = state.trials[trial_index];
  const Assignment assignment{trial_index, trial.attempts + 1};
  (slot.current ? slot.next : slot.current) = assignment;
  trial.slot = slot_index;
  set_phase(state, trial_index, TrialPhase::queued);
  out.push_back(AssignTrial{slot.id, trial.id, assignment.attempt});
  reindex(state, slot_index);
}

// Gives each of the slots a trial while there are any. A slot that every candidate must avoid is
// passed over; the first candidate avoids few slots, so few are.
template <class Slots>
void serve(State& state, Slots& hungry, Commands& out) {
  std::vector<int> passed_over;
  while (!hungry.empty() && !(state.fresh.empty() && state.retries.empty())) {
    const int slot = hungry.top();
    const int trial = take_trial_for(state, slot);
    if (trial != kNone) {
      assign(state, slot, trial, out);
    } else {
      hungry.erase(slot);
      passed_over.push_back(slot);
    }
  }
  for (const int slot : passed_over) reindex(state, slot);
}

// Asks for a queued trial for each vacant slot, first where it would wait longest. Short trials are
// asked for too: it costs a message for a slot at the end of a stage, and without a clock nobody
// here knows that the short trial before it hangs.
void steal(State& state, Commands& out) {
  std::vector<int> passed_over;
  while (static_cast<std::size_t>(state.withdrawals_awaited) < state.vacant.size() &&
         !state.victims.empty() && passed_over.size() < kCandidates) {
    const int slot_index = state.victims.top();
    Slot& slot = state.slots[slot_index];
    const Trial& trial = state.trials[slot.next.trial];
    if (accepts_a_vacant_slot(state, trial)) {
      slot.next.withdrawing = true;
      out.push_back(WithdrawTrial{slot.id, trial.id, slot.next.attempt});
      reindex(state, slot_index);
    } else {
      state.victims.erase(slot_index);
      passed_over.push_back(slot_index);
    }
  }
  for (const int slot : passed_over) reindex(state, slot);
}

}  // namespace

void set_phase(State& state, int index, TrialPhase phase) {
  Trial& trial = state.trials[index];
  --state.trials_in_phase[static_cast<std::size_t>(trial.phase)];
  ++state.trials_in_phase[static_cast<std::size_t>(phase)];
  trial.phase = phase;
}

void make_pending(State& state, int index) {
  state.trials[index].slot = kNone;
  set_phase(state, index, TrialPhase::pending);
  put_ready(state, index);
}

void reindex(State& state, int index) {
  Slot& slot = state.slots[index];
  const bool usable = slot.in_service();
  const bool vacant = usable && !slot.current;
  const bool open = usable && slot.current && !slot.next;
  const bool victim = usable && slot.next && !slot.next.withdrawing;
  const bool awaited = usable && slot.next && slot.next.withdrawing;
  if (!vacant) state.vacant.erase(index);
  if (!open) state.open.erase(index);
  if (!victim) state.victims.erase(index);
  if (vacant) state.vacant.set(index, index);
  if (open) state.open.set(index, expected_until_free(state, slot));
  if (victim) state.victims.set(index, expected_until_free(state, slot));
  state.withdrawals_awaited += static_cast<int>(awaited) - static_cast<int>(slot.awaited);
  slot.awaited = awaited;
}

void dispatch(State& state, Commands& out) {
  if (state.stopping) return;
  serve(state, state.vacant, out);
  serve(state, state.open, out);
  steal(state, out);
}

}  // namespace windrow::scheduler
