// The trainer's end of the line protocol towards the agent.
#pragma once

#include <mutex>

#include "protocol/messages.h"

namespace windrow::worker {

class Outbox {
 public:
  // Writes to `fd`, which stays the caller's. Ends the process when nobody reads any more.
  explicit Outbox(int fd) : fd_(fd) {}

  // One whole line, written before it returns. Safe to call from any thread.
  void send(const protocol::FromTrainer& message);

 private:
  std::mutex mutex_;
  const int fd_;
};

}  // namespace windrow::worker
