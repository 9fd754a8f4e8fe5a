// A child process with pipes: lines from its stdout, the tail of its stderr, lines to its stdin.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/process/event_loop.h"

namespace windrow {

struct ChildCommand {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
};

struct ChildExit {
  std::optional<int> code;
  std::optional<int> signal;
  std::string describe() const;  // "exit code 1", "signal 9 (Killed)"
};

// The child is the leader of its own process group (Ctrl-C on a terminal does not reach it) and
// gets SIGKILL when this process dies. The destructor kills what still runs; the line callbacks
// must not destroy the object.
class ChildProcess {
 public:
  using OnLine = std::function<void(std::string_view)>;  // without the line break

  // Throws std::system_error where the program can't be started.
  ChildProcess(EventLoop& loop, const ChildCommand& command, OnLine on_stdout, OnLine on_stderr);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void write(std::string_view text);  // buffered; lost silently where the child reads no more
  void close_stdin();
  void signal(int number);  // to the whole group

  // Reads what has arrived and asks whether the child is gone; its last lines are delivered before
  // this returns a value. To be called after SIGCHLD.
  std::optional<ChildExit> poll_exit();

  // The last lines of stderr, at most some KiB.
  std::string stderr_tail() const;

 private:
  struct Pipe {
    int fd = -1;
    std::string partial;  // an unfinished line
    OnLine on_line;
  };
  void read_pipe(Pipe& pipe);
  void close_pipe(Pipe& pipe);
  void flush_stdin();

  EventLoop& loop_;
  pid_t pid_ = -1;
  bool reaped_ = false;
  int stdin_ = -1;
  bool stdin_watched_ = false;
  bool close_when_flushed_ = false;
  std::string unwritten_;
  Pipe out_, err_;
  std::string tail_;
};

}  // namespace windrow
