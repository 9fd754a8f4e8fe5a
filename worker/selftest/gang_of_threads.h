// A gang within one process: each member is a thread, for the self-test and the tests.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "worker/gang/gang.h"

namespace windrow::worker {

// Runs `member` in a thread for each device, over NCCL between GPUs and over Gloo on the CPU, and
// throws what the first of them threw.
void in_gang(const std::vector<at::Device>& devices, const std::function<void(Gang&)>& member,
             std::chrono::milliseconds deadline = std::chrono::seconds(60));

}  // namespace windrow::worker
