// A bound on what waits for other ranks inside the MPI library.
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstring>

namespace windrow {

// A rank that dies while MPI starts or ends leaves the others waiting in it for ever: this ends the
// process with `exit_code`. `text`, a literal, goes to stderr before.
class MpiLimit {
 public:
  MpiLimit(double seconds, int exit_code, const char* text) {
    text_ = text;
    exit_code_ = exit_code;
    std::signal(SIGALRM, [](int) {
      [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text_, std::strlen(text_));
      _exit(exit_code_);
    });
    alarm(static_cast<unsigned>(seconds));
  }
  ~MpiLimit() {
    alarm(0);
    std::signal(SIGALRM, SIG_DFL);
  }
  MpiLimit(const MpiLimit&) = delete;
  MpiLimit& operator=(const MpiLimit&) = delete;

 private:
  static inline const char* text_ = "";
  static inline int exit_code_ = 0;
};

}  // namespace windrow
