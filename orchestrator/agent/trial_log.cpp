#include "orchestrator/agent/trial_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace windrow {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kGather = 64 << 10;

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

}  // namespace

fs::path trial_log_file(const fs::path& checkpoints, TrialId trial) {
  return checkpoints / "logs" / ("trial-" + std::to_string(trial.value) + ".log");
}

void TrialLog::begin(const protocol::Start& start, const std::string& where) {
  flush();
  gathered_.clear();
  file_.clear();
  if (start.checkpoint_dir.empty()) return;
  file_ = trial_log_file(fs::path(start.checkpoint_dir).parent_path(), start.trial);
  heading_ =
      "== attempt " + std::to_string(start.attempt) + " on " + where + ", " + local_time() + "\n";
}

void TrialLog::add(std::string_view line) {
  if (file_.empty()) return;
  gathered_ += std::exchange(heading_, {});
  gathered_.append(line);
  gathered_ += '\n';
  if (gathered_.size() > kGather) flush();
}

void TrialLog::flush() {
  if (gathered_.empty()) return;
  const std::string text = std::exchange(gathered_, {});
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  int fd = open(file_.c_str(), kFlags, 0666);
  if (fd < 0) {
    std::error_code error;
    fs::create_directories(file_.parent_path(), error);
    fd = open(file_.c_str(), kFlags, 0666);
  }
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t written = write(fd, text.data(), text.size());
  struct stat facts {};
  const bool full = fstat(fd, &facts) == 0 && facts.st_size > kMost;
  close(fd);
  if (full) rename(file_.c_str(), (file_.string() + ".1").c_str());
}

}  // namespace windrow
