#include "orchestrator/guard/launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "orchestrator/guard/guard_protocol.h"

namespace windrow::guard {

namespace {

// Where memory runs out, the kernel is to kill trainers, not the rank, with which all of its trials
// were lost. proc(5): anybody may raise it.
void offer_to_oom_killer() {
  constexpr int kScore = 500;
  const int file = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  char text[16] = "";
  if (read(file, text, sizeof text - 1) > 0 && std::atoi(text) < kScore) {
    const std::string raised = std::to_string(kScore);  // fits in the string itself
    [[maybe_unused]] const ssize_t written = pwrite(file, raised.data(), raised.size(), 0);
  }
  close(file);
}

}  // namespace

Launch::Launch(std::vector<char> bytes) : bytes_(std::move(bytes)) {
  LaunchHeader header{};
  if (bytes_.size() <= sizeof header || bytes_.back() != '\0') return;
  std::memcpy(&header, bytes_.data(), sizeof header);
  char* at = bytes_.data() + sizeof header;
  char* const end = bytes_.data() + bytes_.size();
  const auto next = [&]() -> char* {
    return at == end ? nullptr : std::exchange(at, at + std::strlen(at) + 1);
  };
  lock_file_ = next();
  lock_record_ = header.lock_record;
  for (std::uint32_t i = 0; i < header.arguments; ++i) arguments_.push_back(next());
  for (std::uint32_t i = 0; i < header.variables; ++i) variables_.push_back(next());
  ok_ = header.arguments > 0 && at == end;
  arguments_.push_back(nullptr);
  variables_.push_back(nullptr);
}

// vfork, not fork: nothing of this process is copied.
[[gnu::noinline]] pid_t start(const Launch& launch, const std::array<int, 3>& files) {
  const pid_t parent = getpid();
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
  offer_to_oom_killer();
  for (int i = 0; i < 3; ++i) dup2(files[static_cast<std::size_t>(i)], i);
  for (const int number : {SIGPIPE, SIGTERM, SIGCHLD}) std::signal(number, SIG_DFL);
  for (const int number : {SIGUSR1, SIGUSR2}) std::signal(number, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(launch.arguments()[0], launch.arguments(), launch.variables());
  child_errno = errno;
  _exit(127);
}

}  // namespace windrow::guard
