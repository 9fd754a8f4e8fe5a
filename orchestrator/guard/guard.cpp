#include "orchestrator/guard/guard.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "orchestrator/guard/process_tree.h"

namespace windrow::guard {
namespace {

constexpr int kFirstLookMs = 5, kLongestLookMs = 500;

int make_child_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// As Report::ended has it.
std::string to_text(const rusage& used) {
  const auto microseconds = [](const timeval& time) {
    return static_cast<long long>(time.tv_sec) * 1000000 + time.tv_usec;
  };
  return std::to_string(microseconds(used.ru_utime) + microseconds(used.ru_stime)) + " " +
         std::to_string(used.ru_maxrss);
}

void close_all(auto& files) {
  for (int& file : files) {
    if (file >= 0) close(file);
    file = -1;
  }
}

std::vector<char> read_whole(int file) {
  struct stat about {};
  if (fstat(file, &about) != 0) return {};
  std::vector<char> bytes(static_cast<std::size_t>(about.st_size));
  if (pread(file, bytes.data(), bytes.size(), 0) != about.st_size) return {};
  return bytes;
}

}  // namespace

Guard::Guard(int socket) : socket_(socket), child_signals_(make_child_signals()) {}

Guard::~Guard() {
  close_all(pending_files_);
  if (kept_ >= 0) close(kept_);
  close(child_signals_);
}

void Guard::serve() {
  while (!over_) serve_once();
}

void Guard::serve_once() {
  std::array<pollfd, 2> events{
      {{agent_lives_ ? socket_ : -1, POLLIN, 0}, {child_signals_, POLLIN, 0}}};
  poll(events.data(), events.size(), again_ms_);
  signalfd_siginfo info;
  while (read(child_signals_, &info, sizeof info) == sizeof info) {
  }
  if (agent_lives_) receive_all();
  if (!agent_lives_) {
    drop_pending();
    wanted_lock_.clear();
    ending_ = true;
  }
  const int last_look = std::exchange(again_ms_, kNever);
  reap();
  if (!wanted_lock_.empty()) try_lock();
  send_reports();
  // Without an agent (a report may have found that out just now) there is something to end, too.
  if (ending_ || !agent_lives_ || !wanted_lock_.empty())
    again_ms_ = std::clamp(2 * last_look, kFirstLookMs, kLongestLookMs);
}

// ---- requests

bool Guard::receive(Message& message) {
  std::array<char, kLongestText> text;
  std::array<iovec, 2> parts{
      {{&message.header, sizeof message.header}, {text.data(), text.size()}}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof message.files)> control{};
  msghdr envelope{};
  envelope.msg_iov = parts.data();
  envelope.msg_iovlen = parts.size();
  envelope.msg_control = control.data();
  envelope.msg_controllen = control.size();
  ssize_t n;
  do n = recvmsg(socket_, &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (n < static_cast<ssize_t>(sizeof message.header)) {
    agent_lives_ = false;
    return false;
  }
  message.text.assign(text.data(), static_cast<std::size_t>(n) - sizeof message.header);
  const cmsghdr* sent = CMSG_FIRSTHDR(&envelope);
  if (sent != nullptr && sent->cmsg_type == SCM_RIGHTS)
    std::memcpy(message.files.data(), CMSG_DATA(sent),
                std::min(sizeof message.files, sent->cmsg_len - CMSG_LEN(0)));
  return true;
}

void Guard::receive_all() {
  while (agent_lives_) {
    Message message;
    if (!receive(message)) return;
    on_request(message);
    close_all(message.files);
  }
}

void Guard::on_request(Message& message) {
  switch (static_cast<Request>(message.header.kind)) {
    case Request::run:
      return on_run(message);
    case Request::signal:
      return on_signal(message.header.value);
    case Request::lock:
      lock_.let_go();
      wanted_lock_ = std::move(message.text);
      wanted_record_ = message.header.value;
      told_busy_ = false;
      return;
    case Request::unlock:
      lock_.let_go();
      wanted_lock_.clear();
      return;
    case Request::keep:
      if (kept_ >= 0) close(kept_);
      kept_ = std::exchange(message.files[0], -1);
      return;
  }
  agent_lives_ = false;  // a windrow of another build
}

void Guard::on_run(Message& message) {
  pending_.emplace(read_whole(message.files[3]));
  if (running_ || !pending_->ok()) {
    pending_.reset();
    agent_lives_ = false;
    return;
  }
  running_ = true;
  for (std::size_t i = 0; i < pending_files_.size(); ++i)
    pending_files_[i] = std::exchange(message.files[i], -1);
  wanted_lock_ = pending_->lock_file();
  wanted_record_ = pending_->lock_record();
  told_busy_ = false;
  if (wanted_lock_.empty()) start_pending();
}

void Guard::on_signal(int number) {
  if (pending_) {
    drop_pending();
    report(Report::ended, number);  // as if it had died of it
    ending_ = true;
  } else if (number == SIGKILL) {
    ending_ = running_;
  } else if (trainer_ > 0 && kill(-trainer_, number) != 0) {
    kill(trainer_, number);
  }
}

// ---- starting

void Guard::try_lock() {
  using Kind = AttemptLock::Outcome::Kind;
  const AttemptLock::Outcome outcome = lock_.try_take(wanted_lock_, wanted_record_);
  if (outcome.kind == Kind::busy) {
    if (!std::exchange(told_busy_, true)) report(Report::busy, 0, outcome.holder);
    return;
  }
  wanted_lock_.clear();
  if (outcome.kind == Kind::taken)
    report(Report::locked);
  else
    report(Report::unlockable, outcome.error);
  if (pending_) start_pending();
}

void Guard::start_pending() {
  const pid_t pid = start(*pending_, pending_files_);
  const int error = errno;
  drop_pending();
  if (pid > 0) {
    trainer_ = pid;
    report(Report::started, pid);
  } else {
    report(Report::not_started, error);
    ending_ = true;
  }
}

void Guard::drop_pending() {
  if (!pending_) return;
  pending_.reset();
  wanted_lock_.clear();
  close_all(pending_files_);
}

// ---- ending

void Guard::reap() {
  int status = 0;
  pid_t pid;
  rusage used{};
  while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
    if (pid != trainer_) continue;
    trainer_ = 0;
    ending_ = true;
    report(Report::ended, status, to_text(used));
  }
  if (ending_) end_all(pid < 0 && errno == ECHILD);
}

void Guard::end_all(bool no_child_left) {
  if (!no_child_left) return kill_descendants();
  ending_ = false;
  over_ = !agent_lives_;
  lock_.let_go();
  wanted_lock_.clear();
  if (std::exchange(running_, false)) report(Report::gone);
}

// ---- reports

void Guard::report(Report kind, int value, std::string text) {
  if (agent_lives_) reports_.push_back({{static_cast<std::int32_t>(kind), value}, std::move(text)});
}

void Guard::send_reports() {
  for (Message& report : std::exchange(reports_, {})) {
    std::array<iovec, 2> parts{
        {{&report.header, sizeof report.header}, {report.text.data(), report.text.size()}}};
    msghdr envelope{};
    envelope.msg_iov = parts.data();
    envelope.msg_iovlen = parts.size();
    ssize_t n;
    do n = sendmsg(socket_, &envelope, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0) agent_lives_ = false;
  }
}

}  // namespace windrow::guard
