// What a process takes of its host.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "protocol/messages.h"

namespace windrow {

// Of a process that does one thing after the other, by what each took. What can't be read counts as
// nothing.
class UsageMeter {
 public:
  explicit UsageMeter(pid_t pid);
  ~UsageMeter();
  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;

  void begin();
  // The CPU time of the process and of its children that have ended, and the most memory that it
  // held. What takes less than 20 ms is not measured: its time counts to what follows.
  protocol::Usage since_begin();
  // The same of a process that has ended with this in all.
  protocol::Usage since_begin(const protocol::Usage& in_all) const;

 private:
  double cpu_seconds() const;
  protocol::Usage read();

  pid_t pid_;
  int stat_, status_;  // of /proc
  std::chrono::steady_clock::time_point begun_;
  bool has_read_ = false;
  double cpu_seconds_ = 0;  // as last read
};

}  // namespace windrow
