#include "orchestrator/scheduler/attempts.h"

#include <algorithm>
#include <cmath>

#include "orchestrator/scheduler/estimates.h"
#include "orchestrator/scheduler/gangs.h"
#include "orchestrator/scheduler/placement.h"

namespace windrow::scheduler {

namespace {

constexpr double kLongestRest = 60;

bool is(const State& state, const Assignment& assignment, TrialId trial, int attempt) {
  return assignment && assignment.attempt == attempt && state.trials[assignment.trial].id == trial;
}

int alive_slot(const State& state, SlotId id) {
  const auto found = state.slot_index.find(id);
  if (found == state.slot_index.end() || !state.slots[found->second].alive) return kNone;
  return found->second;
}

}  // namespace

int slot_running(const State& state, SlotId slot, TrialId trial, int attempt) {
  const int index = alive_slot(state, slot);
  return index != kNone && is(state, state.slots[index].current, trial, attempt) ? index : kNone;
}

int slot_holding(const State& state, SlotId slot, TrialId trial, int attempt) {
  const int index = alive_slot(state, slot);
  if (index == kNone) return kNone;
  const Slot& held = state.slots[index];
  return is(state, held.current, trial, attempt) || is(state, held.next, trial, attempt) ? index
                                                                                         : kNone;
}

void leave_slot(State& state, int index, Assignment& place) {
  Slot& slot = state.slots[index];
  if (&place == &slot.current) {
    disband(state, slot.current.trial);
    slot.current = slot.next;
    slot.started = false;
  }
  slot.next = {};
  reindex(state, index);
}

void end_trial(State& state, int index, TrialPhase phase) {
  remove_work_left(state, state.trials[index]);
  state.trials[index].slot = kNone;
  set_phase(state, index, phase);
}

void leave_service(State& state, int index) {
  const Slot& slot = state.slots[index];
  if (!slot.in_service()) return;
  --state.slots_in_service;
  const auto agent = state.agents.find(slot.agent);
  if (agent == state.agents.end() || --agent->second.in_service > 0) return;
  --state.agents_in_service;
  --state.agents_in_service_on[agent->second.host];
}

void enter_service(State& state, int index) {
  ++state.slots_in_service;
  Agent& agent = state.agents.at(state.slots[index].agent);
  if (agent.in_service++ > 0) return;
  ++state.agents_in_service;
  ++state.agents_in_service_on[agent.host];
}

void drain(State& state, int index, std::string reason, Commands& out) {
  out.push_back(SlotDrained{state.slots[index].id, std::move(reason)});
  close(state, index, out);
}

void rest(State& state, int index, int doublings, Commands& out) {
  Slot& slot = state.slots[index];
  if (doublings < 0 || !slot.in_service() || state.stopping) return;
  slot.resting = true;
  out.push_back(RestSlot{slot.id, std::min(kLongestRest, std::ldexp(1, std::min(doublings, 10)))});
  reindex(state, index);
}

void close(State& state, int index, Commands& out) {
  Slot& slot = state.slots[index];
  leave_service(state, index);
  slot.drained = true;
  for (Assignment* place : {&slot.current, &slot.next}) {
    const bool begun = place == &slot.current && slot.started;
    if (!*place || begun || place->withdrawing || state.stopping) continue;
    place->withdrawing = true;
    out.push_back(WithdrawTrial{slot.id, state.trials[place->trial].id, place->attempt});
  }
  release(state, index, out);
  reindex(state, index);
}

}  // namespace windrow::scheduler
