// What a process takes of its host.
#pragma once

#include <sys/types.h>

#include <optional>

#include "protocol/messages.h"

namespace windrow {

// Of a process that runs, between two moments. What can't be read counts as nothing.
class UsageMeter {
 public:
  explicit UsageMeter(pid_t pid);
  ~UsageMeter();
  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;

  void begin();
  // Since begin(): the CPU time of the process and of its children that have ended, and the most
  // memory that it held.
  protocol::Usage since_begin() const;
  // Since begin(), of a process that has ended with this in all.
  protocol::Usage since_begin(const protocol::Usage& in_all) const;

 private:
  double cpu_seconds() const;

  pid_t pid_;
  int stat_, status_;  // of /proc
  double begun_at_ = 0;
  mutable std::optional<double> last_read_;  // between two trials a trainer does next to nothing
};

}  // namespace windrow
