// What the environment says of the batch job that this process runs in.
#pragma once

#include <functional>
#include <string>

#include "protocol/messages.h"

namespace windrow {

// Of Slurm: its job (of an array with the task's number), restarts, node and, where the version
// sets it, end. `variable` gives the value of one; "" where it is not set.
protocol::BatchJob read_batch_job(const std::function<std::string(const char* name)>& variable);
protocol::BatchJob read_batch_job();  // of this process's environment

}  // namespace windrow
