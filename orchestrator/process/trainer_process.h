// A trainer's process as its agent sees it: what it may be asked, and what it tells. ChildProcess
// is the real one; the simulation has another.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  // TrainerProcess::lock().
  LockPlace lock = {};
};

struct ChildExit {
  std::optional<int> code;
  std::optional<int> signal;
  // Why it did not start ("can't start NAME: No such file or directory"; neither code nor signal),
  // or that its guard was killed, and it with it (signal 9).
  std::string fault;
  bool too_long = false;  // it did not start since its arguments or a variable are too long
  std::optional<protocol::Usage> usage = {};  // in all, where its guard could tell
  std::string describe() const;               // "exit code 1", "signal 9 (Killed)", or the fault
};

enum class LockState {
  waiting,  // another one holds it: most often processes of an earlier attempt
  held,
  impossible,  // the file system has no locks, or the file can't be made: goes on without
};

// What a ChildProcess tells, from within EventLoop::run_once() or poll_exit(). What is empty is not
// told. None of these may destroy the process, but for on_ended.
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
  // The exit can be had from poll_exit(). Told last of all; may destroy the process.
  std::function<void()> on_ended;
};

// No call waits for the program. Destroyed, it kills what it started.
class TrainerProcess {
 public:
  static constexpr std::size_t kLongestLine = 64u << 20;

  virtual ~TrainerProcess() = default;

  virtual pid_t pid() const = 0;                  // -1 until it is started
  virtual void write(std::string_view text) = 0;  // buffered; lost silently where it reads no more
  virtual void close_stdin() = 0;
  // To the process group; SIGKILL to all that the program started. A program that waits for its
  // lock counts as ended by the signal.
  virtual void signal(int number) = 0;

  // For programs that serve one attempt after the other. True: it is held now; else on_lock tells
  // when it is. It is free again when unlock() was called, or all processes are gone. Other hosts
  // are kept out where the file system has locks (fcntl) across hosts.
  virtual bool lock(const LockPlace& place) = 0;
  virtual void unlock() = 0;

  // Reads what has arrived. Once a value: the program and all that it started are gone, its lines
  // are delivered. To be called after on_ended, or whenever the loop has run. What survives SIGKILL
  // (a wedged driver, a dead file server) never makes it so: the caller must destroy the object
  // after a while.
  virtual std::optional<ChildExit> poll_exit() = 0;

  // The last lines of stderr as valid UTF-8, at most some KiB.
  virtual std::string stderr_tail() const = 0;
};

// Starts processes for one slot, one after the other.
class TrainerStarter {
 public:
  virtual ~TrainerStarter() = default;
  // Throws std::system_error where no process is to be had; that the program itself can't be
  // started is its exit's `fault`.
  virtual std::unique_ptr<TrainerProcess> start(const ChildCommand& command,
                                                ChildEvents events) = 0;
};

}  // namespace windrow
