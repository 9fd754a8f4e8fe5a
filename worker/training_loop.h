// Runs one attempt from its start message to its last message.
#pragma once

#include "worker/attempt.h"
#include "worker/data/data_cache.h"
#include "worker/tasks/task.h"

namespace windrow::worker {

// Trains the attempt's trial, going on from its newest usable checkpoint, and sends Started, Epochs
// and, at its end, Finished or Failed (nothing after an abort). Throws nothing that stands for the
// attempt's failure.
void run_attempt(const Attempt& attempt, const Send& send, DataCache& data);

// The same with a task of the caller's in place of the registered one of that name.
void run_attempt(const Attempt& attempt, const Send& send, DataCache& data, const Task& task);

}  // namespace windrow::worker
