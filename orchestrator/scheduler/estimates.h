// What trials are expected to take. Internal to the scheduler.
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

// What a unit of declared cost has taken in the epochs measured so far; 1 while there are none, so
// that declared costs compare with each other.
double seconds_per_cost(const State& state);

// Seconds until the slot's current attempt ends (declared cost while nothing is measured), as of
// its own last event. An attempt that runs has at least an epoch's length before it.
double expected_until_free(const State& state, const Slot& slot);

// An epoch of this trial took so long; `weight` is the number of epochs it is the mean of.
void measure(State& state, const Trial& trial, double epoch_seconds, double weight);

// Moves the trial's work into, or out of, what is left of its group.
void add_work_left(State& state, const Trial& trial);
void remove_work_left(State& state, const Trial& trial);

}  // namespace windrow::scheduler
