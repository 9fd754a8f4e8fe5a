// What a task calls from within its steps: proves progress to the agent and notices an abort.
#pragma once

#include <chrono>

#include "worker/attempt.h"

namespace windrow::worker {

struct AttemptAborted {};  // thrown by Progress::step; not an error, so no std::exception

class Progress {
 public:
  Progress(const Attempt& attempt, const Send& send) : attempt_(attempt), send_(send) {}

  // Call it at least once a second of work, from the training thread. Throws AttemptAborted.
  void step() {
    if (attempt_.request.load(std::memory_order_relaxed) == Request::abort) throw AttemptAborted{};
    const auto now = Clock::now();
    if (now - last_heartbeat_ < std::chrono::seconds(1)) return;
    last_heartbeat_ = now;
    send_(protocol::Heartbeat{attempt_.start.trial, attempt_.start.attempt});
  }

 private:
  using Clock = std::chrono::steady_clock;

  const Attempt& attempt_;
  const Send& send_;
  Clock::time_point last_heartbeat_ = Clock::now();
};

}  // namespace windrow::worker
