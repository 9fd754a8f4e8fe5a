// One attempt as the training thread sees it: the start message, and what the agent asks meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "protocol/messages.h"

namespace windrow::worker {

enum class Request {
  none,
  stop,   // finish the epoch, checkpoint, answer Stopped
  abort,  // leave at the next step without an answer
};

struct Attempt {
  explicit Attempt(protocol::Start message) : start(std::move(message)) {}

  const protocol::Start start;
  std::atomic<Request> request{Request::none};  // written by the reader thread

  // The helpers that the lead is to train with (protocol::SetGang).
  void set_helpers(std::vector<int> numbers) {
    const std::lock_guard lock(mutex_);
    helpers_ = std::move(numbers);
  }
  std::vector<int> helpers() const {
    const std::lock_guard lock(mutex_);
    return helpers_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> helpers_;
};

// Sends a message to the agent; safe to call from any thread.
using Send = std::function<void(const protocol::FromTrainer&)>;

}  // namespace windrow::worker
