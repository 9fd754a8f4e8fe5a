// One attempt as the training thread sees it: the start message, and what the agent asks meanwhile.
#pragma once

#include <algorithm>
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

  // With whom and with what the attempt is to train from its next epoch on.
  void set_gang(const protocol::SetGang& gang) {
    const std::lock_guard lock(mutex_);
    for (const int helper : gang_.helpers)
      if (std::ranges::find(gang.helpers, helper) == gang.helpers.end())
        released_.push_back(helper);
    gang_ = gang;
  }
  protocol::SetGang gang() const {
    const std::lock_guard lock(mutex_);
    return gang_;
  }
  // Helpers that it was given and that were taken back since, whether or not it ever saw them.
  std::vector<int> released() const {
    const std::lock_guard lock(mutex_);
    return released_;
  }

 private:
  mutable std::mutex mutex_;
  protocol::SetGang gang_;
  std::vector<int> released_;
};

// Sends a message to the agent; safe to call from any thread.
using Send = std::function<void(const protocol::FromTrainer&)>;

}  // namespace windrow::worker
