// A trainer as a child process with pipes: lines from its stdout and stderr, lines to its stdin.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/guard/attempt_lock.h"
#include "orchestrator/process/guard_pool.h"
#include "orchestrator/process/trainer_process.h"

namespace windrow {

// The program runs under a guard (windrow-guard), which kills it and all that it started, sessions
// of their own included, when this process dies or the ChildProcess is destroyed, and what it left
// running when it has ended; what survives SIGKILL it goes on waiting for by itself. The program is
// the leader of its own process group: Ctrl-C on a terminal does not reach it.
class ChildProcess final : public TrainerProcess {
 public:
  // `guards` must outlive this object. Throws as TrainerStarter::start() does.
  ChildProcess(GuardPool& guards, const ChildCommand& command, ChildEvents events);
  ~ChildProcess() override;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const override { return pid_; }
  void write(std::string_view text) override;
  void close_stdin() override;
  void signal(int number) override;
  bool lock(const LockPlace& place) override;
  void unlock() override;
  std::optional<ChildExit> poll_exit() override;
  std::string stderr_tail() const override;

 private:
  struct Pipe {
    int fd = -1;
    LineSplitter lines;
    bool watched = false;
  };
  void read_pipe(Pipe& pipe);
  void close_pipe(Pipe& pipe);
  void flush_stdin();
  void ask(guard::Request request, int value = 0, std::string_view text = {});
  void read_reports();
  void on_report(guard::Report report, int value, const std::string& text);
  void on_guard_lost();
  void end();

  GuardPool& guards_;
  EventLoop& loop_;
  std::string name_;
  ChildEvents events_;
  GuardConnection guard_;
  guard::AttemptLock own_lock_;  // of lock(), where nobody else has it; the guard has a copy
  bool asked_for_lock_ = false;  // the guard has it, or waits for it
  int kept_file_ = -1;           // of which the guard has one
  bool guard_lost_ = false;
  pid_t pid_ = -1;
  std::optional<ChildExit> exit_;
  bool gone_ = false;
  bool told_ = false;  // poll_exit() gave the exit
  int stdin_ = -1;
  bool stdin_watched_ = false;
  bool close_when_flushed_ = false;
  std::string unwritten_;
  Pipe out_, err_;
  std::string tail_;
};

}  // namespace windrow
