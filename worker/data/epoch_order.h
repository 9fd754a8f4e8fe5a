// The order in which an epoch uses its examples.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace windrow::worker {

// The first `count` of the examples 0 .. examples-1, shuffled anew for each epoch: int64 [count] on
// the device. A function of the trial's seed and the epoch only.
at::Tensor epoch_order(std::int64_t seed, int epoch, std::int64_t examples, std::int64_t count,
                       at::Device device);

}  // namespace windrow::worker
