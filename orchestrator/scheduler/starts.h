// Trainers that do not start. An attempt that ended before its trainer was ready says nothing of
// its trial: the place is to blame, or the program. Internal to the scheduler.
//
// A slot where none starts rests for a while that grows, and is drained in the end, where others
// train. Where none starts anywhere, the run is stopped.
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

// A trainer became ready on the slot.
void trainer_started(State& state, int slot);

bool is_failed_start(const Failure& failure);

// No trainer became ready on the slot for the trial, which has left it. The trial is pending again
// and nothing is charged to it.
void judge_start(State& state, int slot, int trial, int attempt, const Failure& failure,
                 Commands& out);

}  // namespace windrow::scheduler
