// A trial as the command line and environment of a process a trial.
#pragma once

#include "orchestrator/process/child_process.h"
#include "protocol/messages.h"

namespace windrow {

// Adds the arguments and WINDROW_PARAMETERS, _SEED, _TRIAL, _ATTEMPT, _CHECKPOINT_DIR, _RESUME and
// _EARLY_STOPPING. Without `found_checkpoints` there is nothing to go on from: WINDROW_RESUME is 0
// whatever is recorded.
void add_trial(ChildCommand& command, const protocol::Start& start, protocol::Arguments arguments,
               bool found_checkpoints);

}  // namespace windrow
