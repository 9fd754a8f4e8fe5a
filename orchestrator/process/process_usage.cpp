#include "orchestrator/process/process_usage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace windrow {
namespace {

using Clock = std::chrono::steady_clock;

// Reading takes 15 us, which is much beside a trial of 100.
constexpr std::chrono::milliseconds kWorthReading{20};

int open_proc(pid_t pid, const char* name, int flags = O_RDONLY) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  return open(path.c_str(), flags | O_CLOEXEC);
}

// The file from its beginning; "" where it can't be read.
struct ProcText {
  explicit ProcText(int fd) {
    const ssize_t n = fd < 0 ? 0 : pread(fd, bytes.data(), bytes.size() - 1, 0);
    bytes[n > 0 ? static_cast<std::size_t>(n) : 0] = '\0';
  }
  std::array<char, 4096> bytes;
};

}  // namespace

UsageMeter::UsageMeter(pid_t pid)
    : pid_(pid), stat_(open_proc(pid, "stat")), status_(open_proc(pid, "status")) {}

UsageMeter::~UsageMeter() {
  for (const int fd : {stat_, status_})
    if (fd >= 0) close(fd);
}

double UsageMeter::cpu_seconds() const {
  static const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const ProcText text(stat_);
  const char* at = std::strrchr(text.bytes.data(), ')');  // a name may hold anything
  if (at == nullptr) return 0;
  double sum = 0;
  at += 2;
  for (int field = 3; field <= 17 && at != nullptr; ++field) {  // 14 to 17 are times; proc(5)
    if (field >= 14) sum += std::strtod(at, nullptr);
    at = std::strchr(at, ' ');
    if (at != nullptr) ++at;
  }
  return sum / ticks;
}

void UsageMeter::begin() {
  begun_ = Clock::now();
  if (!std::exchange(has_read_, true)) read();
}

protocol::Usage UsageMeter::read() {
  const double before = cpu_seconds_;
  cpu_seconds_ = cpu_seconds();
  protocol::Usage usage{std::max(cpu_seconds_ - before, 0.0)};
  const ProcText text(status_);
  if (const char* line = std::strstr(text.bytes.data(), "VmHWM:"))
    usage.peak_memory = std::strtoll(line + 6, nullptr, 10) * 1024;
  const int fd = open_proc(pid_, "clear_refs", O_WRONLY);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t n = write(fd, "5", 1);  // the peak begins anew
    close(fd);
  }
  return usage;
}

protocol::Usage UsageMeter::since_begin() {
  return Clock::now() - begun_ < kWorthReading ? protocol::Usage{} : read();
}

protocol::Usage UsageMeter::since_begin(const protocol::Usage& in_all) const {
  return {std::max(in_all.cpu_seconds - cpu_seconds_, 0.0), in_all.peak_memory};
}

}  // namespace windrow
