// How much memory the processes here have together.
#pragma once

#include <cstdint>
#include <string>

namespace windrow {

// Bytes: the least of the host's memory and the limits of this process's control group and of those
// above it (the batch job's, a container's). 0: the kernel does not say. `root` is put before every
// path that is read.
std::int64_t memory_limit(const std::string& root = "");

}  // namespace windrow
