// windrow-guard: stands between windrow's agent and one trainer after the other, so that nothing of
// a trainer outlives it, or the agent. Started by windrow alone, which keeps one end of a socket.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "orchestrator/guard/guard.h"

namespace {

constexpr const char* kUsage =
    "windrow-guard is started by windrow, for each slot; it is of no use alone\n";

// Every signal that can be blocked is: batch systems and launchers send theirs to all processes of
// a step, and this one must outlive the others. Only the end of its socket ends it.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

// argv[1], where given: the soft limit of open files that the trainers get.
int main(int argc, char** argv) {
  block_signals();
  struct stat about {};
  if (fstat(windrow::guard::kSocket, &about) != 0 || !S_ISSOCK(about.st_mode)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  // Its children are told apart from the trainer's leavings by this alone.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(windrow::guard::kSocket, F_SETFD, FD_CLOEXEC);
  if (argc > 1) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::strtoul(argv[1], nullptr, 10);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  windrow::guard::Guard(windrow::guard::kSocket).serve();
}
