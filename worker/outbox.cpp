#include "worker/outbox.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "protocol/lines.h"

namespace windrow::worker {

void Outbox::send(const protocol::FromTrainer& message) {
  const std::string line = protocol::to_line(message);
  const std::lock_guard lock(mutex_);
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::write(fd_, line.data() + sent, line.size() - sent);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      _exit(0);  // the agent is gone: there is nobody to train for
    }
  }
}

}  // namespace windrow::worker
