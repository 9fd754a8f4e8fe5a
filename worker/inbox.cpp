#include "worker/inbox.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "protocol/lines.h"

namespace windrow::worker {

Inbox::Inbox(int fd, Send send, std::function<void()> on_end)
    : send_(std::move(send)), on_end_(std::move(on_end)), reader_([this, fd] { read_lines(fd); }) {}

Inbox::~Inbox() {
  reader_.join();
}

std::shared_ptr<Attempt> Inbox::next() {
  std::unique_lock lock(mutex_);
  current_ = nullptr;
  changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
  if (queue_.empty()) return nullptr;
  current_ = queue_.front();
  queue_.pop_front();
  return current_;
}

void Inbox::read_lines(int fd) {
  std::string pending;
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = pending.find('\n', begin)) != pending.npos; begin = end + 1)
      handle(std::string_view(pending).substr(begin, end - begin));
    pending.erase(0, begin);
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  on_end_();
}

void Inbox::handle(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == line.npos) return;
  try {
    const protocol::ToTrainer message = protocol::parse_to_trainer(line);
    if (const auto* start = std::get_if<protocol::Start>(&message)) {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::make_shared<Attempt>(*start));
      changed_.notify_all();
    } else if (const auto* stop = std::get_if<protocol::Stop>(&message)) {
      request(stop->trial, stop->attempt, Request::stop);
    } else if (const auto* abort = std::get_if<protocol::Abort>(&message)) {
      request(abort->trial, abort->attempt, Request::abort);
    } else if (const auto* gang = std::get_if<protocol::SetGang>(&message)) {
      const std::lock_guard lock(mutex_);
      for_attempt(gang->trial, gang->attempt, [&](Attempt& attempt) { attempt.set_gang(*gang); });
    }
  } catch (const protocol::ProtocolError& error) {
    send_(protocol::Log{"error", std::string("stdin: ") + error.what() +
                                     "; expected a start, stop or abort message of the line "
                                     "protocol (docs/extending.md)"});
  }
}

void Inbox::request(TrialId trial, int number, Request request) {
  const std::lock_guard lock(mutex_);
  for_attempt(trial, number, [&](Attempt& attempt) {
    // An abort is not weakened by a later stop.
    if (attempt.request != Request::abort) attempt.request = request;
  });
}

// An attempt that is over is not found, and the message is dropped.
void Inbox::for_attempt(TrialId trial, int number, const std::function<void(Attempt&)>& use) {
  const auto visit = [&](Attempt& attempt) {
    if (attempt.start.trial == trial && attempt.start.attempt == number) use(attempt);
  };
  if (current_) visit(*current_);
  for (const auto& attempt : queue_) visit(*attempt);
}

}  // namespace windrow::worker
