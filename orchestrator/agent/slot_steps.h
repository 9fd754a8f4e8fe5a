// What the slot's events share. Internal to the slot machine.
#pragma once

#include "orchestrator/agent/slot.h"

namespace windrow::slot {

// Begins the next queued attempt where the slot is free for it.
void begin_next(State& state, Time now, Actions& out);

// Makes the front of the queue the attempt, before it has begun: to fail it, or to begin it.
void take_front(State& state, Time now);

// The end of state.attempt, which is reported; `exit` where its process is gone.
void fail_attempt(State& state, protocol::FailureKind kind, const std::string& message,
                  const Exit* exit, Actions& out);
void finish_attempt(State& state, protocol::Finished finished, Actions& out);
// As the epochs and the result that were seen say; the best epoch's with early stopping.
void finish_as_seen(State& state, Actions& out);

// Ends the process with the signal (SIGTERM or SIGKILL); SIGTERM is followed by SIGKILL, and a
// process that outlives that is let go. Without effect where it is being killed already.
void end_process(State& state, Ending ending, int signal, Time now, Actions& out);

// Attempts that have not begun go back to the coordinator.
void give_back_queue(State& state, Actions& out);

void warn_once(State& state, const std::string& text, Actions& out);
void tell_started(State& state, protocol::Started started, Actions& out);

// Takes an epoch that the trainer reported: watches it, reports it, and stops the trial where
// early stopping or the time limit says so.
void take_epoch(State& state, protocol::Epoch epoch, Time now, Actions& out);

}  // namespace windrow::slot
