// Which trial goes to which slot. Internal to the scheduler: every event changes the state and
// then calls dispatch().
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

void set_phase(State& state, int trial, TrialPhase phase);

// Makes the trial pending and puts it among those that wait for a slot.
void make_pending(State& state, int trial);

// Takes a pending trial out of the queue that it waits in, whose phase stays.
void take_ready(State& state, int trial);

// What an attempt leaves that ended through no fault of the trial's: it is pending again, or, where
// it is doomed, failed.
void give_back(State& state, int trial, Commands& out);

// Brings vacant, open, victims and withdrawals_awaited up to date with the slot.
void reindex(State& state, int slot);

// Fills vacant slots, then queues one ahead at each, then asks queued trials back for slots that
// are still vacant.
void dispatch(State& state, Commands& out);

}  // namespace windrow::scheduler
