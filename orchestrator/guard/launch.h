// Starting a trainer.
#pragma once

#include <sys/types.h>

#include <array>
#include <vector>

namespace windrow::guard {

// What to start, in the bytes that it came in.
class Launch {
 public:
  // `bytes` as guard_protocol.h says. ok() is false where they are not so.
  explicit Launch(std::vector<char> bytes);
  Launch(Launch&&) = default;  // the pointers stay good: a vector's bytes move with it
  Launch& operator=(Launch&&) = default;
  bool ok() const { return ok_; }
  const char* lock_file() const { return lock_file_; }
  int lock_record() const { return lock_record_; }
  char* const* arguments() const { return arguments_.data(); }
  char* const* variables() const { return variables_.data(); }

 private:
  std::vector<char> bytes_;
  bool ok_ = false;
  const char* lock_file_ = "";
  int lock_record_ = 0;
  std::vector<char*> arguments_, variables_;  // each with a null pointer at its end
};

// Starts it with the three files as its stdin, stdout and stderr: in a process group of its own,
// with no signal blocked, SIGPIPE and SIGTERM as programs expect them, SIGUSR1 and SIGUSR2 ignored
// (a batch system sends them to every process; a program that wants them sets a handler), and
// killed when this process dies. Looks the program up in this process's PATH. Returns the pid, or
// -1 with errno.
pid_t start(const Launch& launch, const std::array<int, 3>& files);

}  // namespace windrow::guard
