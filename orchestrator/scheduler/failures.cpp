// The events of a run that goes badly: attempts fail, agents are lost, slots give work back.
#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/blame.h"
#include "orchestrator/scheduler/gangs.h"
#include "orchestrator/scheduler/placement.h"
#include "orchestrator/scheduler/starts.h"

namespace windrow::scheduler {

void on_attempt_failed(State& state, SlotId slot_id, TrialId trial, int attempt,
                       const Failure& failure, Commands& out) {
  const int index = slot_holding(state, slot_id, trial, attempt);
  if (index == kNone) return;
  const int failed = state.trial_index.at(trial);
  Slot& slot = state.slots[index];
  if (failure.kind == FailureKind::gang) ++state.trials[failed].gang_failures;
  leave_slot(state, index, slot.current.trial == failed ? slot.current : slot.next);
  if (is_failed_start(failure)) {
    judge_start(state, index, failed, attempt, failure, out);
  } else {
    if (failure.reached != protocol::Reached::nothing) trainer_started(state, index);
    judge_failure(state, index, failed, attempt, failure, out);
  }
  dispatch(state, out);
}

void on_slot_rested(State& state, SlotId slot_id, Commands& out) {
  const auto found = state.slot_index.find(slot_id);
  if (found == state.slot_index.end()) return;
  state.slots[found->second].resting = false;
  reindex(state, found->second);
  dispatch(state, out);
}

void on_slot_lost(State& state, SlotId slot_id, const std::string& reason, Commands& out) {
  const auto found = state.slot_index.find(slot_id);
  if (found == state.slot_index.end()) return;
  Slot& slot = state.slots[found->second];
  slot.guilty = false;  // it does not come back
  if (!slot.in_service()) return;
  drain(state, found->second, reason, out);
  dispatch(state, out);
}

void on_slot_closing(State& state, SlotId slot_id, Commands& out) {
  const auto found = state.slot_index.find(slot_id);
  if (found == state.slot_index.end()) return;
  Slot& slot = state.slots[found->second];
  slot.guilty = false;  // it does not come back
  if (!slot.in_service()) return;
  close(state, found->second, out);
  dispatch(state, out);
}

void on_agent_lost(State& state, AgentId agent, Commands& out) {
  const auto found = state.agents.find(agent);
  if (found == state.agents.end()) return;
  const std::vector<int> lost = found->second.slots;
  for (const int index : lost) {
    leave_service(state, index);
    state.slots[index].alive = false;
  }
  for (const int index : lost) {
    Slot& slot = state.slots[index];
    const Slot before = slot;
    end_help(state, index, out);
    slot.current = slot.next = {};
    slot.started = false;
    reindex(state, index);
    if (before.current) {
      disband(state, before.current.trial);
      Trial& trial = state.trials[before.current.trial];
      if (before.started) {  // which costs it nothing
        trial.attempts = before.current.attempt;
        ++trial.failures[static_cast<std::size_t>(FailureKind::node)];
      }
      give_back(state, before.current.trial, out);
    }
    if (before.next) give_back(state, before.next.trial, out);
  }
  state.agents.erase(agent);
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
  give_back(state, back, out);
  // To assign again to a slot that is leaving would go round for ever.
  if (!asked && !state.stopping && slot.in_service())
    drain(state, index, "it gave back trial " + std::to_string(trial.value) + " unasked", out);
  dispatch(state, out);
}

}  // namespace windrow::scheduler
