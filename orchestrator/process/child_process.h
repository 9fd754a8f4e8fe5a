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
#include "orchestrator/process/line_splitter.h"
#include "orchestrator/process/trainer_environment.h"
#include "protocol/messages.h"

namespace windrow {

// A lock: one record of a file that serves many.
struct LockPlace {
  std::string file;  // "" = no lock. Made where missing, as is its folder
  int record = 0;    // from 0: the trial
};

struct ChildCommand {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  Variables environment;          // added to trainer_environment()
  // Taken before the program starts, and held until all that it started is gone. See
  // ChildProcess::lock().
  LockPlace lock = {};
};

struct ChildExit {
  std::optional<int> code;
  std::optional<int> signal;
  // Neither code nor signal: why it did not start ("can't start NAME: No such file or directory"),
  // or that its guard was killed, with which it dies.
  std::string fault;
  std::optional<protocol::Usage> usage = {};  // in all, where its guard could tell
  std::string describe() const;               // "exit code 1", "signal 9 (Killed)", or the fault
};

enum class LockState {
  waiting,  // another one holds it: most often processes of an earlier attempt
  held,
  impossible,  // the file system has no locks, or the file can't be made: goes on without
};

// What a ChildProcess tells, from within EventLoop::run_once() or poll_exit(). What is empty is not
// told. None of these may destroy the ChildProcess, but for on_ended.
struct ChildEvents {
  using OnLine = LineSplitter::OnLine;  // valid UTF-8, without the line's end

  OnLine on_stdout, on_stderr;
  // The program runs now: at once, or when its lock was free. Told before any line of it.
  std::function<void()> on_started;
  // `detail`: waiting: who holds it ("HOST, process PID", "" = not known); impossible: why.
  std::function<void(LockState state, const std::string& detail)> on_lock;
  // Something came on stdout or stderr, be it a part of a line.
  std::function<void()> on_output;
  // It closed its stdout. That is how most programs end; one that goes on will never say anything
  // more, and should be given up when its exit doesn't follow soon.
  std::function<void()> on_stdout_closed;
  // A line on stdout is longer than kLongestLine; it is dropped.
  std::function<void()> on_line_too_long;
  // The exit can be had from poll_exit(). Told last of all; may destroy the ChildProcess.
  std::function<void()> on_ended;
};

// The program runs under a guard (windrow-guard), which kills it and all that it started, sessions
// of their own included, when this process dies or the ChildProcess is destroyed, and what it left
// running when it has ended. It is the leader of its own process group: Ctrl-C on a terminal does
// not reach it. No call waits for the program or the guard.
class ChildProcess {
 public:
  static constexpr std::size_t kLongestLine = 64u << 20;

  // `guards` must outlive this object. Throws std::system_error where no guard, pipe or memory is
  // to be had; that the program itself can't be started is its exit's `fault`.
  ChildProcess(GuardPool& guards, const ChildCommand& command, ChildEvents events);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }  // -1 until it is started
  void write(std::string_view text);  // buffered; lost silently where the child reads no more
  void close_stdin();
  // To the process group; SIGKILL to all that the program started. A program that waits for its
  // lock counts as ended by the signal.
  void signal(int number);

  // For programs that serve one attempt after the other. True: it is held now; else on_lock tells
  // when it is. It is free again when unlock() was called, or all processes are gone. Other hosts
  // are kept out where the file system has locks (fcntl) across hosts.
  bool lock(const LockPlace& place);
  void unlock();

  // Reads what has arrived. Once a value: the program and all that it started are gone, its lines
  // are delivered. Never waits; to be called after on_ended, or whenever the loop has run. What
  // survives SIGKILL (a wedged driver, a dead file server) never makes it so: the caller must
  // destroy the object after a while, and the guard goes on by itself.
  std::optional<ChildExit> poll_exit();

  // The last lines of stderr as valid UTF-8, at most some KiB.
  std::string stderr_tail() const;

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
