// A forked child that talks with its test over two pipes.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace windrow::storage {

class ChildProcess {
 public:
  // The child's end. say() writes at once, so that what was said survives a kill.
  class Line {
   public:
    void say(const std::string& text) const {
      const std::string line = text + '\n';
      if (::write(out, line.data(), line.size()) < 0) _exit(3);
    }
    void wait() const {  // until the parent lets go (or dies)
      char byte = 0;
      if (::read(in, &byte, 1) < 0) _exit(3);
    }
    int in = -1, out = -1;
  };

  explicit ChildProcess(const std::function<void(const Line&)>& body) {
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no fork");
    if (pid_ == 0) {
      close(down[1]);
      close(up[0]);
      body({down[0], up[1]});
      _exit(0);
    }
    close(down[0]);
    close(up[1]);
    to_child_ = down[1];
    from_child_ = up[0];
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      kill();
      wait();
    }
    close(to_child_);
    close(from_child_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line; "" at the end.
  std::string hear() const {
    std::string line;
    char byte = 0;
    while (::read(from_child_, &byte, 1) == 1 && byte != '\n') line += byte;
    return line;
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  int wait() {  // the exit status of waitpid
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int to_child_ = -1, from_child_ = -1;
};

}  // namespace windrow::storage
