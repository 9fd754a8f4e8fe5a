#include "worker/selftest/gang_of_threads.h"

#include <exception>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "worker/gang/c10d_gang.h"

namespace windrow::worker {

void in_gang(const std::vector<at::Device>& devices, const std::function<void(Gang&)>& member,
             std::chrono::milliseconds deadline) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const int size = static_cast<int>(devices.size());
  std::vector<std::exception_ptr> errors(devices.size());
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < devices.size(); ++rank)
    threads.emplace_back([&, rank] {
      try {
        const auto gang = make_gang(store, {.rank = static_cast<int>(rank),
                                            .size = size,
                                            .device = devices[rank],
                                            .deadline = deadline});
        member(*gang);
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace windrow::worker
