#include "orchestrator/process/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

extern char** environ;

namespace windrow {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLongestLine = 64u << 20;  // a longer "line" is cut, not kept in memory

// What the child needs between vfork and exec, prepared beforehand: it may not allocate.
struct ExecPlan {
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<std::string> storage;
  int stdin_fd, stdout_fd, stderr_fd;
};

ExecPlan make_plan(const ChildCommand& command) {
  ExecPlan plan{};
  for (const auto& [name, value] : command.environment) plan.storage.push_back(name + "=" + value);
  for (const std::string& argument : command.argv)
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(command.environment.begin(), command.environment.end(),
                                      [&](const auto& pair) { return pair.first == name; });
    if (!replaced) plan.envp.push_back(*entry);
  }
  for (std::string& text : plan.storage) plan.envp.push_back(text.data());
  plan.envp.push_back(nullptr);
  return plan;
}

// vfork, not fork: the cost does not grow with this process's memory. Returns the pid, or -1 with
// errno as the child's exec (or vfork) left it.
[[gnu::noinline]] pid_t vfork_exec(const ExecPlan& plan) {
  const pid_t parent = getpid();
  sigset_t none;
  sigemptyset(&none);
  static volatile int child_errno;  // shared with the child until it execs
  child_errno = 0;
  const pid_t pid = vfork();
  if (pid != 0) {
    if (pid > 0 && child_errno != 0) {
      waitpid(pid, nullptr, 0);
      errno = child_errno;
      return -1;
    }
    return pid;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  dup2(plan.stdin_fd, 0);
  dup2(plan.stdout_fd, 1);
  dup2(plan.stderr_fd, 2);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(plan.argv[0], plan.argv.data(), plan.envp.data());
  child_errno = errno;
  _exit(127);
}

struct PipePair {
  int read_end = -1, write_end = -1;
  PipePair() {
    std::array<int, 2> fds;
    if (pipe2(fds.data(), O_CLOEXEC) != 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
    read_end = fds[0];
    write_end = fds[1];
  }
  ~PipePair() {
    if (read_end >= 0) close(read_end);
    if (write_end >= 0) close(write_end);
  }
  static int take(int& fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return std::exchange(fd, -1);
  }
};

// Where the last kTailBytes of `text` begin, moved on to the start of a line if there is one.
std::size_t tail_begin(std::string_view text) {
  if (text.size() <= kTailBytes) return 0;
  const std::size_t cut = text.size() - kTailBytes;
  const std::size_t line_break = text.find('\n', cut - 1);
  return line_break == text.npos || line_break + 1 == text.size() ? cut : line_break + 1;
}

}  // namespace

std::string ChildExit::describe() const {
  if (signal) return "signal " + std::to_string(*signal) + " (" + strsignal(*signal) + ")";
  return "exit code " + std::to_string(code.value_or(-1));
}

ChildProcess::ChildProcess(EventLoop& loop, const ChildCommand& command, OnLine on_stdout,
                           OnLine on_stderr)
    : loop_(loop) {
  PipePair in, out, err;
  ExecPlan plan = make_plan(command);
  plan.stdin_fd = in.read_end;
  plan.stdout_fd = out.write_end;
  plan.stderr_fd = err.write_end;
  pid_ = vfork_exec(plan);
  if (pid_ < 0)
    throw std::system_error(errno, std::generic_category(),
                            "can't start " + (command.argv.empty() ? "" : command.argv[0]));
  stdin_ = PipePair::take(in.write_end);
  out_ = {PipePair::take(out.read_end), {}, std::move(on_stdout)};
  err_ = {PipePair::take(err.read_end), {}, std::move(on_stderr)};
  loop_.watch(out_.fd, [this] { read_pipe(out_); });
  loop_.watch(err_.fd, [this] { read_pipe(err_); });
}

ChildProcess::~ChildProcess() {
  close_pipe(out_);
  close_pipe(err_);
  close_when_flushed_ = false;
  if (stdin_watched_) loop_.unwatch(stdin_);
  if (stdin_ >= 0) close(stdin_);
  if (!reaped_) {
    signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void ChildProcess::write(std::string_view text) {
  if (stdin_ < 0) return;
  unwritten_ += text;
  flush_stdin();
}

void ChildProcess::close_stdin() {
  close_when_flushed_ = true;
  flush_stdin();
}

void ChildProcess::flush_stdin() {
  if (stdin_ < 0) return;
  while (!unwritten_.empty()) {
    const ssize_t n = ::write(stdin_, unwritten_.data(), unwritten_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      if (!stdin_watched_) loop_.watch(stdin_, [this] { flush_stdin(); });
      stdin_watched_ = true;
      loop_.watch_writable(stdin_, true);
      return;
    }
    if (n < 0) {  // EPIPE: it reads no more; its exit will be reported
      close_when_flushed_ = true;
      unwritten_.clear();
      break;
    }
    unwritten_.erase(0, static_cast<std::size_t>(n));
  }
  if (stdin_watched_) loop_.unwatch(stdin_);
  stdin_watched_ = false;
  if (close_when_flushed_) {
    close(stdin_);
    stdin_ = -1;
  }
}

void ChildProcess::signal(int number) {
  if (!reaped_ && kill(-pid_, number) != 0) kill(pid_, number);
}

void ChildProcess::read_pipe(Pipe& pipe) {
  std::array<char, 65536> buffer;
  // A child that never stops talking must not stop the loop: the rest is read the next time.
  for (int rounds = 0; pipe.fd >= 0 && rounds < 16; ++rounds) {
    const ssize_t n = read(pipe.fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      close_pipe(pipe);
      if (!pipe.partial.empty()) pipe.on_line(std::exchange(pipe.partial, {}));
      return;
    }
    std::string_view chunk(buffer.data(), static_cast<std::size_t>(n));
    if (&pipe == &err_) {
      tail_ += chunk;
      if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_begin(tail_));
    }
    for (std::size_t end; (end = chunk.find('\n')) != chunk.npos; chunk.remove_prefix(end + 1)) {
      std::string joined;
      std::string_view line = chunk.substr(0, end);
      if (!pipe.partial.empty()) {
        joined = std::exchange(pipe.partial, {}) + std::string(line);
        line = joined;
      }
      pipe.on_line(line);
    }
    if (pipe.partial.size() < kLongestLine) pipe.partial += chunk;
    if (static_cast<std::size_t>(n) < buffer.size()) return;
  }
}

void ChildProcess::close_pipe(Pipe& pipe) {
  if (pipe.fd < 0) return;
  loop_.unwatch(pipe.fd);
  close(pipe.fd);
  pipe.fd = -1;
}

std::optional<ChildExit> ChildProcess::poll_exit() {
  siginfo_t info{};
  if (reaped_ || waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_)
    return std::nullopt;
  kill(-pid_, SIGKILL);  // what it left running; before the pid can be given to another
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  // Pipes may be held open by a grandchild: take what is there and don't wait for their end.
  for (Pipe* pipe : {&err_, &out_}) {
    read_pipe(*pipe);
    if (!pipe->partial.empty()) pipe->on_line(std::exchange(pipe->partial, {}));
  }
  ChildExit result;
  if (WIFSIGNALED(status))
    result.signal = WTERMSIG(status);
  else
    result.code = WEXITSTATUS(status);
  return result;
}

std::string ChildProcess::stderr_tail() const {
  return tail_.substr(tail_begin(tail_));
}

}  // namespace windrow
