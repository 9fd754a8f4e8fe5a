// The guards (windrow-guard) that stand between this process and the trainers it starts.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "orchestrator/guard/guard_protocol.h"
#include "orchestrator/process/event_loop.h"

namespace windrow {

// Where windrow-guard is: beside this program, or in ../libexec/windrow of it. Throws
// std::system_error, with the remedy, where it is in neither.
std::filesystem::path find_guard();
// windrow-gang, likewise.
std::filesystem::path find_gang_launcher();

// A running guard. Closing the socket makes it kill all that runs under it, and end.
struct GuardConnection {
  int socket = -1;
  pid_t pid = -1;

  // False where the guard is dead, or so stuck that it takes no more.
  bool send(guard::Request request, int value = 0, std::string_view text = {},
            std::span<const int> files = {}) const;
};

// A guard serves one trainer after the other, since to start it costs as much as to start a small
// trainer; so a slot has a pool of its own, with one guard in it, and more only while a guard that
// was let go still waits for the end of processes that won't die.
class GuardPool {
 public:
  // `open_files`: the soft limit that trainers get (RLIMIT_NOFILE); nullopt: this process's.
  explicit GuardPool(EventLoop& loop, std::optional<rlim_t> open_files = std::nullopt)
      : loop_(loop), open_files_(open_files) {}
  // Doesn't wait for the guards.
  ~GuardPool();
  GuardPool(const GuardPool&) = delete;
  GuardPool& operator=(const GuardPool&) = delete;

  EventLoop& loop() const { return loop_; }

  // A guard that was asked to run what `files` say (see guard::Request::run). Throws
  // std::system_error where none can be started.
  GuardConnection run(const std::array<int, 4>& files);
  void give_back(GuardConnection guard);  // all that it ran is gone
  void let_go(GuardConnection guard);     // it kills what it runs, by itself

 private:
  GuardConnection start();
  void reap();

  EventLoop& loop_;
  std::optional<rlim_t> open_files_;
  std::vector<GuardConnection> idle_;
  std::vector<pid_t> leaving_;
};

}  // namespace windrow
