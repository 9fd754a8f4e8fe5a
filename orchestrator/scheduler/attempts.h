// Attempts and their places in slots. Internal to the scheduler.
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

// The index of the slot whose current attempt this is; kNone: the message is stale.
int slot_running(const State& state, SlotId slot, TrialId trial, int attempt);

// The index of the slot that has this attempt as its current or next one; kNone: stale.
int slot_holding(const State& state, SlotId slot, TrialId trial, int attempt);

// Empties one of the slot's two places; what was queued behind goes forward.
void leave_slot(State& state, int slot, Assignment& place);

// The trial is over: finished or failed.
void end_trial(State& state, int trial, TrialPhase phase);

// Takes the slot out of service and asks for what it has not begun.
void close(State& state, int slot, Commands& out);
// The same, since something is wrong with it.
void drain(State& state, int slot, std::string reason, Commands& out);

// Gives it nothing for 1 s, or so many times twice that, a minute at most; none for less than 0.
void rest(State& state, int slot, int doublings, Commands& out);

// Keep the counts of what is in service; to be called before its alive or drained is set to out of
// service, and after it is set to in service.
void leave_service(State& state, int slot);
void enter_service(State& state, int slot);

}  // namespace windrow::scheduler
