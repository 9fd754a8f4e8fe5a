#include "orchestrator/process/event_loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "orchestrator/process/errno_error.h"

namespace windrow {
struct EventLoop::Watch {
  int fd;
  std::function<void()> callback;
};

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw_errno("epoll_create1");
}

EventLoop::~EventLoop() {
  if (signals_ >= 0) close(signals_);
  close(epoll_);
}

void EventLoop::watch(int fd, std::function<void()> callback) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
  watches_[fd] = std::make_shared<Watch>(Watch{fd, std::move(callback)});
}

void EventLoop::watch_writable(int fd, bool writable) {
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) throw_errno("epoll_ctl");
}

void EventLoop::unwatch(int fd) {
  if (watches_.erase(fd) != 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::on_signal(int signal, std::function<void()> callback) {
  signal_callbacks_[signal] = std::move(callback);
  sigset_t set;
  sigemptyset(&set);
  for (const auto& [number, unused] : signal_callbacks_) sigaddset(&set, number);
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) throw_errno("pthread_sigmask");
  const int fd = signalfd(signals_, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) throw_errno("signalfd");
  if (signals_ < 0) watch(fd, [this] { read_signals(); });
  signals_ = fd;
}

void EventLoop::read_signals() {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    const auto found = signal_callbacks_.find(static_cast<int>(info.ssi_signo));
    if (found != signal_callbacks_.end()) found->second();
  }
}

int EventLoop::run_once(std::chrono::nanoseconds wait) {
  if (wait.count() > 0) {
    // epoll_wait counts in milliseconds; ppoll on the epoll descriptor waits for less.
    pollfd self{epoll_, POLLIN, 0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const timespec limit{static_cast<time_t>(seconds.count()), (wait - seconds).count()};
    if (ppoll(&self, 1, &limit, nullptr) <= 0) return 0;
  }
  std::array<epoll_event, 64> events;
  const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < n; ++i) {
    const auto found = watches_.find(events[static_cast<std::size_t>(i)].data.fd);
    if (found == watches_.end()) continue;  // removed by an earlier callback
    const std::shared_ptr<Watch> keep = found->second;
    keep->callback();
  }
  return n > 0 ? n : 0;
}

}  // namespace windrow
