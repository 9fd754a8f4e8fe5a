// One thread's event loop: file descriptors and signals, over epoll and signalfd.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>

namespace windrow {

using Clock = std::chrono::steady_clock;

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `callback` whenever `fd` is readable or at its end (and, where asked for, writable). The
  // fd stays the caller's, who removes it before closing it; a callback may remove any fd.
  void watch(int fd, std::function<void()> callback);
  void watch_writable(int fd, bool writable);
  void unwatch(int fd);

  // Blocks the signal in this process and calls `callback` for it from run_once() instead. Threads
  // must be started after this, so that they inherit the block.
  void on_signal(int signal, std::function<void()> callback);

  // Waits at most `wait` for events and dispatches them. Returns how many.
  int run_once(std::chrono::nanoseconds wait);

 private:
  struct Watch;
  void read_signals();

  int epoll_ = -1;
  int signals_ = -1;
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;
  std::unordered_map<int, std::function<void()>> signal_callbacks_;
};

}  // namespace windrow
