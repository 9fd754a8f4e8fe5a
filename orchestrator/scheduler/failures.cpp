// The events of a run that goes badly: attempts fail, agents are lost, slots give work back.
#include <algorithm>

#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/placement.h"

namespace windrow::scheduler {

namespace {

// How many failures of the kind a trial outlives; nullopt: any number.
std::optional<int> budget(const RetryBudgets& budgets, FailureKind kind) {
  switch (kind) {
    case FailureKind::nan:
    case FailureKind::spec:
      return 0;
    case FailureKind::oom:
      return budgets.oom;
    case FailureKind::cuda:
      return budgets.cuda;
    case FailureKind::hang:
      return budgets.hang;
    case FailureKind::crash:
      return budgets.crash;
    case FailureKind::data:
      return budgets.data;
    case FailureKind::node:
    case FailureKind::preempted:
      break;
  }
  return std::nullopt;
}

// Kinds whose cause may be the slot, so that a retry elsewhere tells which of the two is to blame.
bool another_slot_may_help(FailureKind kind) {
  return kind == FailureKind::crash || kind == FailureKind::cuda || kind == FailureKind::oom ||
         kind == FailureKind::hang;
}

// Kinds that speak against a slot when trial after trial fails there. nan and spec are the trial's
// own, preempted and node come from outside.
bool counts_against_slot(FailureKind kind) {
  return another_slot_may_help(kind) || kind == FailureKind::data;
}

void add_once(std::vector<int>& items, int item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
}

// Books the failure and makes the trial pending again, or failed where no retry is left.
void fail_attempt(State& state, int index, int attempt, int slot, FailureKind kind, Commands& out) {
  Trial& trial = state.trials[index];
  trial.attempts = attempt;
  const int failures = ++trial.failures[static_cast<std::size_t>(kind)];
  const auto retries = budget(state.budgets, kind);
  if (retries && failures > *retries) {
    end_trial(state, index, TrialPhase::failed);
    out.push_back(TrialFailed{trial.id, kind});
    return;
  }
  if (another_slot_may_help(kind)) add_once(trial.failed_on, slot);
  make_pending(state, index);
}

void blame_slot(State& state, int index, int trial, FailureKind kind, Commands& out) {
  if (!counts_against_slot(kind)) return;
  Slot& slot = state.slots[index];
  add_once(slot.failures_in_a_row, trial);
  const int limit = state.budgets.slot_failures_in_a_row;
  const bool too_many = limit > 0 && static_cast<int>(slot.failures_in_a_row.size()) >= limit;
  // The last slot stays: that everything fails everywhere is then found out by the trials' budgets.
  if (!too_many || slot.drained || state.slots_in_service <= 1) return;
  drain(state, index,
        std::to_string(slot.failures_in_a_row.size()) +
            " different trials failed on it in a row, the last with " +
            std::string(protocol::to_string(kind)),
        out);
}

}  // namespace

void on_attempt_failed(State& state, SlotId slot_id, TrialId trial, int attempt, FailureKind kind,
                       Commands& out) {
  const int index = slot_holding(state, slot_id, trial, attempt);
  if (index == kNone) return;
  const int failed = state.trial_index.at(trial);
  Slot& slot = state.slots[index];
  leave_slot(state, index, slot.current.trial == failed ? slot.current : slot.next);
  fail_attempt(state, failed, attempt, index, kind, out);
  blame_slot(state, index, failed, kind, out);
  dispatch(state, out);
}

void on_agent_lost(State& state, AgentId agent, Commands& out) {
  const auto found = state.agent_slots.find(agent);
  if (found == state.agent_slots.end()) return;
  const std::vector<int> lost = std::move(found->second);
  state.agent_slots.erase(found);
  for (const int index : lost) {
    Slot& slot = state.slots[index];
    if (slot.in_service()) --state.slots_in_service;
    slot.alive = false;
    const Slot before = slot;
    slot.current = slot.next = {};
    slot.started = false;
    reindex(state, index);
    if (before.started)
      fail_attempt(state, before.current.trial, before.current.attempt, index, FailureKind::node,
                   out);
    else if (before.current)
      make_pending(state, before.current.trial);
    if (before.next) make_pending(state, before.next.trial);
  }
  dispatch(state, out);
}

void on_withdrawn(State& state, SlotId slot_id, TrialId trial, int attempt, Commands& out) {
  const int index = slot_holding(state, slot_id, trial, attempt);
  if (index == kNone) return;
  const int back = state.trial_index.at(trial);
  Slot& slot = state.slots[index];
  const bool is_current = slot.current.trial == back;
  if (is_current && slot.started) return;  // what runs can't be given back
  Assignment& place = is_current ? slot.current : slot.next;
  const bool asked = place.withdrawing;
  leave_slot(state, index, place);
  make_pending(state, back);
  // To assign again to a slot that is leaving would go round for ever.
  if (!asked && !state.stopping && slot.in_service())
    drain(state, index, "it gave back trial " + std::to_string(trial.value) + " unasked", out);
  dispatch(state, out);
}

}  // namespace windrow::scheduler
