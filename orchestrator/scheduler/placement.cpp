#include "orchestrator/scheduler/placement.h"

#include <algorithm>

#include "orchestrator/scheduler/blame.h"
#include "orchestrator/scheduler/estimates.h"
#include "orchestrator/scheduler/gangs.h"

namespace windrow::scheduler {

namespace {

// How many candidates are looked at when the first ones don't fit, so that an event's cost has a
// bound. Progress does not depend on it: the first candidate fits some slot in service.
constexpr std::size_t kCandidates = 16;

ReadyWaves& queue_of(State& state, const Trial& trial) {
  const bool charged = !trial.charges.empty() || !trial.earlier.empty();
  return charged ? state.retries : trial.stopped_runs > 0 ? state.last : state.fresh;
}

void put_ready(State& state, int index) {
  const Trial& trial = state.trials[index];
  queue_of(state, trial)
      .push({index, trial.group, trial.epochs_left(), trial.cost_left(), trial.wave});
}

bool failed_on(const Trial& trial, int slot) {
  return std::ranges::find(trial.charges, slot, &Charge::slot) != trial.charges.end();
}

// The lower, the more the trial's next failure or success on the slot would tell of it: where it
// has not failed yet comes first, and then where something has worked.
int doubts(const Trial& trial, const Slot& slot, int index) {
  return 2 * static_cast<int>(failed_on(trial, index)) + static_cast<int>(!slot.proven);
}

// Where a trial is to be tried: on another agent first, then on the slots with the fewest doubts.
// Some slot in service is always accepted.
struct Wish {
  const State& state;
  const Trial& trial;
  bool another_agent;
  int most_doubts = 0;

  Wish(const State& given, const Trial& wishing)
      : state(given),
        trial(wishing),
        another_agent(agents_failed(given, wishing) < given.agents_in_service) {
    if (another_agent || (trial.charges.empty() && trial.earlier.empty())) return;
    most_doubts = 3;
    for (std::size_t index = 0; most_doubts > 0 && index < state.slots.size(); ++index)
      if (state.slots[index].in_service())
        most_doubts =
            std::min(most_doubts, doubts(trial, state.slots[index], static_cast<int>(index)));
  }
  bool accepts(int slot) const {
    if (trial.charges.empty() && trial.earlier.empty()) return true;
    if (another_agent) return !failed_at(state, trial, state.slots[slot].agent);
    return doubts(trial, state.slots[slot], slot) <= most_doubts;
  }
};

bool accepts_a_vacant_slot(const State& state, const Trial& trial) {
  const Wish wish(state, trial);
  return state.vacant.any_of([&](int slot) { return wish.accepts(slot); });
}

bool fits_in_time(const State& state, const Trial& trial) {
  const Group& group = state.groups[trial.group];
  if (!group.measured()) return state.seconds_left > 0;
  return group.epoch_seconds() <= state.seconds_left;
}

// The longest expected trial of the queue that the slot may have; kNone: there is none among the
// first ones.
template <class MayHave>
int take_from(State& state, ReadyWaves& queue, MayHave may_have) {
  const double scale = seconds_per_cost(state);
  int taken = kNone;
  std::vector<int> refused;
  while (taken == kNone && refused.size() < kCandidates) {
    const auto top = queue.top(scale);
    if (!top) break;
    queue.pop(*top);
    if (may_have(state.trials[top->entry.trial]))
      taken = top->entry.trial;
    else
      refused.push_back(top->entry.trial);
  }
  for (const int trial : refused) put_ready(state, trial);
  return taken;
}

// Takes the trial that the slot is to have out of its queue; kNone: there is none. A trial that
// failed elsewhere comes first, which tells whose fault it was; one that failed here comes last.
int take_trial_for(State& state, int slot) {
  const auto in_time = [&](const Trial& trial) { return fits_in_time(state, trial); };
  const auto elsewhere = [&](const Trial& trial) {
    return in_time(trial) && !failed_on(trial, slot) && Wish(state, trial).accepts(slot);
  };
  const auto anywhere = [&](const Trial& trial) {
    return in_time(trial) && Wish(state, trial).accepts(slot);
  };
  int taken = take_from(state, state.retries, elsewhere);
  if (taken == kNone) taken = take_from(state, state.fresh, in_time);
  if (taken == kNone) taken = take_from(state, state.retries, anywhere);
  if (taken == kNone) taken = take_from(state, state.last, in_time);
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

// Gives each of the slots a trial while there are any and `may_serve` holds. A slot that every
// candidate must avoid is passed over.
template <class Slots, class MayServe>
void serve(State& state, Slots& hungry, const MayServe& may_serve, Commands& out) {
  std::vector<int> passed_over;
  while (!hungry.empty() && may_serve() &&
         !(state.fresh.empty() && state.retries.empty() && state.last.empty())) {
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

void take_ready(State& state, int index) {
  const Trial& trial = state.trials[index];
  for (ReadyWaves* queue : {&state.retries, &state.last, &state.fresh})
    if (queue->remove(trial.group, index)) return;
}

void give_back(State& state, int index, Commands& out) {
  if (const auto doomed = state.trials[index].doomed)
    give_up(state, index, *doomed, out);
  else
    make_pending(state, index);
}

void reindex(State& state, int index) {
  Slot& slot = state.slots[index];
  const bool usable = slot.in_service();
  // What may fail again at once is not queued behind what may fail.
  const bool vacant = usable && !slot.current && !slot.resting && !slot.help;
  const bool open = usable && slot.current && !slot.next && !slot.suspect();
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
  return_threads(state, out);
  serve(
      state, state.vacant, [&] { return may_begin_another(state); }, out);
  serve(
      state, state.open, [] { return true; }, out);
  if (may_begin_another(state)) steal(state, out);
  recall(state, out);
  lend(state, out);
  lend_threads(state, out);
}

}  // namespace windrow::scheduler
