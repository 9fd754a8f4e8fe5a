// The bound on MPI's start.
#pragma once

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "orchestrator/exit_codes.h"

namespace windrow {

// A rank that dies while MPI starts leaves the others waiting in it for ever: this ends them.
class StartupLimit {
 public:
  explicit StartupLimit(double seconds) {
    std::signal(SIGALRM, [](int) {
      constexpr std::string_view kText =
          "windrow: MPI has not started in good time; did a rank die? the same command goes on\n";
      [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText.data(), kText.size());
      _exit(kInterrupted);
    });
    alarm(static_cast<unsigned>(seconds));
  }
  ~StartupLimit() {
    alarm(0);
    std::signal(SIGALRM, SIG_DFL);
  }
  StartupLimit(const StartupLimit&) = delete;
  StartupLimit& operator=(const StartupLimit&) = delete;
};

}  // namespace windrow
