// A file descriptor that is closed on the way out.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace windrow {

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~File() { reset(); }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int take_nonblocking() {
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    return std::exchange(fd_, -1);
  }

 private:
  int fd_;
};

}  // namespace windrow
