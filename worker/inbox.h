// The trainer's end of the line protocol from the agent: a thread reads lines, so that stop and
// abort reach an attempt that is training.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "worker/attempt.h"

namespace windrow::worker {

class Inbox {
 public:
  // Reads `fd` until its end, then calls `on_end` from the reader thread (the trainer leaves at
  // once there: its agent died). A line that can't be understood is answered by an error Log.
  // The thread ends with the end of `fd` only; the destructor waits for it.
  Inbox(int fd, Send send, std::function<void()> on_end);
  ~Inbox();

  // Waits for the next start message; null once `fd` has ended and the queue is empty. The attempt
  // handed out before counts as over.
  std::shared_ptr<Attempt> next();

 private:
  void read_lines(int fd);
  void handle(std::string_view line);
  void request(TrialId trial, int attempt, Request request);
  // With the mutex held.
  void for_attempt(TrialId trial, int attempt, const std::function<void(Attempt&)>& use);

  const Send send_;
  const std::function<void()> on_end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Attempt>> queue_;
  std::shared_ptr<Attempt> current_;
  bool ended_ = false;
  std::thread reader_;
};

}  // namespace windrow::worker
