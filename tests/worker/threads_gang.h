// Gangs within a test: each member is a thread, over Gloo on the loopback interface.
#pragma once

#include "worker/selftest/gang_of_threads.h"

namespace windrow::worker::test {

inline void in_gang(int size, const std::function<void(Gang&)>& member,
                    std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
  worker::in_gang(std::vector<at::Device>(static_cast<std::size_t>(size), at::kCPU), member,
                  deadline);
}

}  // namespace windrow::worker::test
