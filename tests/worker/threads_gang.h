// Gangs within a test: each member is a thread, over Gloo on the loopback interface.
#pragma once

#include <exception>
#include <functional>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "worker/gang/c10d_gang.h"

namespace windrow::worker::test {

// Runs `member` in as many threads as the gang has members, and throws what the first of them
// threw.
inline void in_gang(int size, const std::function<void(Gang&)>& member,
                    std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      try {
        const auto gang = make_gang(store, {.rank = rank, .size = size, .deadline = deadline});
        member(*gang);
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace windrow::worker::test
