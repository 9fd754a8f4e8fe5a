#include "orchestrator/process/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "orchestrator/process/errno_error.h"
#include "orchestrator/process/file.h"
#include "protocol/utf8.h"

namespace windrow {
namespace {

std::optional<protocol::Usage> usage_of(const std::string& text) {
  long long microseconds = 0, kibibytes = 0;
  if (std::sscanf(text.c_str(), "%lld %lld", &microseconds, &kibibytes) != 2) return std::nullopt;
  return protocol::Usage{static_cast<double>(microseconds) / 1e6, kibibytes * 1024};
}

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLongestLogLine = 1u << 20;  // stderr is for people: longer lines are cut up

struct PipeEnds {
  File read_end, write_end;
};

PipeEnds make_pipe() {
  std::array<int, 2> fds;
  if (pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  return {File(fds[0]), File(fds[1])};
}

// As guard::LaunchHeader says. In memory, not in the message: there is no limit but the kernel's
// own for command lines.
File launch_file(const ChildCommand& command) {
  const std::vector<std::string> variables =
      trainer_environment(own_environment(), command.environment);
  const guard::LaunchHeader header{command.lock.record,
                                   static_cast<std::uint32_t>(command.argv.size()),
                                   static_cast<std::uint32_t>(variables.size())};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  const auto add = [&](const std::string& text) { bytes.append(text.c_str()).push_back('\0'); };
  add(command.lock.file);
  for (const std::string& argument : command.argv) add(argument);
  for (const std::string& variable : variables) add(variable);
  File file(memfd_create("windrow-launch", MFD_CLOEXEC));
  if (file.get() < 0) throw_errno("memfd_create");
  if (write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw_errno("memfd");
  return file;
}

// Where the last kTailBytes of `text` begin, moved on to the start of a line if there is one, else
// of a character.
std::size_t tail_begin(std::string_view text) {
  if (text.size() <= kTailBytes) return 0;
  std::size_t cut = text.size() - kTailBytes;
  const std::size_t line_break = text.find('\n', cut - 1);
  if (line_break != text.npos && line_break + 1 != text.size()) return line_break + 1;
  for (int i = 0; i < 3 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80; ++i) ++cut;
  return cut;
}

ChildExit exit_of(int wait_status) {
  ChildExit exit;
  if (WIFSIGNALED(wait_status))
    exit.signal = WTERMSIG(wait_status);
  else
    exit.code = WEXITSTATUS(wait_status);
  return exit;
}

}  // namespace

std::string ChildExit::describe() const {
  if (!fault.empty()) return fault;
  if (signal) return "signal " + std::to_string(*signal) + " (" + strsignal(*signal) + ")";
  return code ? "exit code " + std::to_string(*code) : "";
}

ChildProcess::ChildProcess(GuardPool& guards, const ChildCommand& command, ChildEvents events)
    : guards_(guards),
      loop_(guards.loop()),
      name_(command.argv.at(0)),
      events_(std::move(events)),
      out_{-1,
           {kLongestLine,
            [this](std::string_view line) {
              if (events_.on_stdout) events_.on_stdout(line);
            },
            [this] {
              if (events_.on_line_too_long) events_.on_line_too_long();
            }}},
      err_{-1, {kLongestLogLine, [this](std::string_view line) {
                  if (events_.on_stderr) events_.on_stderr(line);
                }}} {
  PipeEnds in = make_pipe(), out = make_pipe(), err = make_pipe();
  const File launch = launch_file(command);
  guard_ = guards_.run({in.read_end.get(), out.write_end.get(), err.write_end.get(), launch.get()});
  stdin_ = in.write_end.take_nonblocking();
  out_.fd = out.read_end.take_nonblocking();
  err_.fd = err.read_end.take_nonblocking();
  loop_.watch(guard_.socket, [this] {
    read_reports();
    // Taken out first: it may destroy this object.
    if (gone_)
      if (const auto on_ended = std::exchange(events_.on_ended, {})) on_ended();
  });
}

ChildProcess::~ChildProcess() {
  close_pipe(out_);
  close_pipe(err_);
  if (stdin_watched_) loop_.unwatch(stdin_);
  if (stdin_ >= 0) close(stdin_);
  loop_.unwatch(guard_.socket);
  if (gone_ && !guard_lost_)
    guards_.give_back(guard_);
  else
    guards_.let_go(guard_);
}

// ---- to the child

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

// ---- to the guard

void ChildProcess::signal(int number) {
  ask(guard::Request::signal, number);
}

// To ask the guard for each lock would cost more than a small trial. The lock belongs to the open
// file, not to the process: so it is taken here, and the guard has a copy of the file.
bool ChildProcess::lock(const LockPlace& place) {
  using Kind = guard::AttemptLock::Outcome::Kind;
  own_lock_.set_holder(guard_.pid);
  if (!gone_ && own_lock_.try_take(place.file, place.record).kind == Kind::taken) {
    const int file = own_lock_.file();
    if (std::exchange(kept_file_, file) == file) return true;
    if (guard_.send(guard::Request::keep, 0, {}, {&file, 1})) return true;
    own_lock_.let_go();
  }
  asked_for_lock_ = true;
  ask(guard::Request::lock, place.record, place.file);
  return false;
}

void ChildProcess::unlock() {
  own_lock_.let_go();
  if (std::exchange(asked_for_lock_, false)) ask(guard::Request::unlock);
}

void ChildProcess::ask(guard::Request request, int value, std::string_view text) {
  // A guard that takes no request is dead, or too stuck to matter. Its end of the socket tells.
  if (!gone_ && !guard_.send(request, value, text)) shutdown(guard_.socket, SHUT_RDWR);
}

// ---- from the child

void ChildProcess::read_pipe(Pipe& pipe) {
  std::array<char, 65536> buffer;
  // A child that never stops talking must not stop the loop: the rest is read the next time.
  for (int rounds = 0; pipe.fd >= 0 && rounds < 16; ++rounds) {
    const ssize_t n = read(pipe.fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      close_pipe(pipe);
      pipe.lines.finish();
      if (&pipe == &out_ && !gone_ && events_.on_stdout_closed) events_.on_stdout_closed();
      return;
    }
    const std::string_view chunk(buffer.data(), static_cast<std::size_t>(n));
    if (&pipe == &err_) {
      tail_ += chunk;
      if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_begin(tail_));
    }
    if (events_.on_output) events_.on_output();
    pipe.lines.feed(chunk);
    if (static_cast<std::size_t>(n) < buffer.size()) return;
  }
}

void ChildProcess::close_pipe(Pipe& pipe) {
  if (pipe.fd < 0) return;
  if (pipe.watched) loop_.unwatch(pipe.fd);
  close(pipe.fd);
  pipe.fd = -1;
}

std::string ChildProcess::stderr_tail() const {
  return protocol::valid_utf8(std::string_view(tail_).substr(tail_begin(tail_)));
}

// ---- from the guard

void ChildProcess::read_reports() {
  while (!gone_) {
    guard::Header header{};
    std::array<char, guard::kLongestText> text;
    std::array<iovec, 2> parts{{{&header, sizeof header}, {text.data(), text.size()}}};
    msghdr envelope{};
    envelope.msg_iov = parts.data();
    envelope.msg_iovlen = parts.size();
    const ssize_t n = recvmsg(guard_.socket, &envelope, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < static_cast<ssize_t>(sizeof header)) {
      on_guard_lost();
      break;
    }
    on_report(static_cast<guard::Report>(header.kind), header.value,
              {text.data(), static_cast<std::size_t>(n) - sizeof header});
  }
}

void ChildProcess::on_report(guard::Report report, int value, const std::string& text) {
  const auto tell_lock = [&](LockState state, const std::string& detail) {
    if (events_.on_lock) events_.on_lock(state, detail);
  };
  switch (report) {
    case guard::Report::started:
      pid_ = value;
      if (events_.on_started) events_.on_started();
      // Only now: what it printed may be here before the word that it runs.
      for (Pipe* pipe : {&out_, &err_}) {
        loop_.watch(pipe->fd, [this, pipe] { read_pipe(*pipe); });
        pipe->watched = true;
      }
      return;
    case guard::Report::not_started:
      exit_ = ChildExit{.fault = "can't start " + name_ + ": " + std::strerror(value),
                        .too_long = value == E2BIG};
      return;
    case guard::Report::ended:
      exit_ = exit_of(value);
      exit_->usage = usage_of(text);
      return;
    case guard::Report::gone:
      return end();
    case guard::Report::locked:
      return tell_lock(LockState::held, "");
    case guard::Report::busy:
      return tell_lock(LockState::waiting, protocol::valid_utf8(text));
    case guard::Report::unlockable:
      return tell_lock(LockState::impossible, std::strerror(value));
  }
}

void ChildProcess::on_guard_lost() {
  guard_lost_ = true;
  if (!exit_)
    exit_ = ChildExit{.signal = SIGKILL,
                      .fault = "the end of windrow-guard (process " + std::to_string(guard_.pid) +
                               "), which was killed; its trainer dies with it"};
  end();
}

void ChildProcess::end() {
  gone_ = true;
  own_lock_.let_go();
  loop_.unwatch(guard_.socket);
  // Nobody is left that could hold the pipes open, unless the guard was lost: take what is there.
  for (Pipe* pipe : {&err_, &out_}) {
    read_pipe(*pipe);
    close_pipe(*pipe);
    pipe->lines.finish();
  }
}

std::optional<ChildExit> ChildProcess::poll_exit() {
  if (!gone_) read_reports();
  if (!gone_ && pid_ >= 0)
    for (Pipe* pipe : {&err_, &out_}) read_pipe(*pipe);
  if (!gone_ || std::exchange(told_, true)) return std::nullopt;
  return exit_;
}

}  // namespace windrow
