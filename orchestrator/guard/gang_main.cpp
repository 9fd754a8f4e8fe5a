// windrow-gang: starts a program as the members of one distributed job (torch.distributed), a
// process each, and ends as the first of them that fails. It runs under windrow-guard, which ends
// what is left.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr const char* kUsage =
    "windrow-gang MEMBERS PROGRAM [ARGUMENT...]\n"
    "Starts the program MEMBERS times with RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE,\n"
    "MASTER_ADDR and MASTER_PORT, as torchrun does. What member 0 prints is its output. Started "
    "by\n"
    "windrow for studies with `trainer: {gang: MEMBERS}`.\n";

volatile std::sig_atomic_t told_to_stop = 0;

void on_stop(int) {
  told_to_stop = 1;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

constexpr int kStops[] = {SIGTERM, SIGINT, SIGHUP};

// A port that is free now; the member that listens there comes soon after.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!bound) {
    std::perror("windrow-gang: a free port");
    std::exit(1);
  }
  close(fd);
  return ntohs(address.sin_port);
}

void set(const char* name, int value) {
  setenv(name, std::to_string(value).c_str(), 1);
}

// The team's threads, divided.
void share_threads(const char* name, int members) {
  const char* all = std::getenv(name);
  if (all != nullptr) set(name, std::max(1, std::atoi(all) / members));
}

[[noreturn]] void be_member(int rank, int members, int port, char** command) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : kStops) handle(signal, SIG_DFL);
  set("RANK", rank);
  set("LOCAL_RANK", rank);
  set("WORLD_SIZE", members);
  set("LOCAL_WORLD_SIZE", members);
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  set("MASTER_PORT", port);
  share_threads("OMP_NUM_THREADS", members);
  share_threads("MKL_NUM_THREADS", members);
  if (rank > 0) dup2(STDERR_FILENO, STDOUT_FILENO);
  execvp(command[0], command);
  std::fprintf(stderr, "can't start %s: %s\n", command[0], std::strerror(errno));
  _exit(127);
}

// Waits for all members; the first that failed, or 0. One that fails ends the others, unless all
// were told to stop, and each has something to save.
int first_failure(std::vector<pid_t> members) {
  int failure = 0;
  while (!members.empty()) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) break;
    std::erase(members, pid);
    if (status == 0 || failure != 0) continue;
    failure = status;
    if (!told_to_stop)
      for (const pid_t other : members) kill(other, SIGKILL);
  }
  return failure;
}

}  // namespace

int main(int argc, char** argv) {
  const int members = argc > 2 ? std::atoi(argv[1]) : 0;
  if (members < 1) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  for (const int signal : kStops) handle(signal, on_stop);
  const int port = free_port();
  std::vector<pid_t> pids;
  for (int rank = 0; rank < members; ++rank) {
    const pid_t pid = fork();
    if (pid == 0) be_member(rank, members, port, argv + 2);
    if (pid < 0) {
      std::perror("windrow-gang: fork");
      for (const pid_t other : pids) kill(other, SIGKILL);
      return 1;
    }
    pids.push_back(pid);
  }
  const int failure = first_failure(pids);
  if (WIFSIGNALED(failure)) {  // end as it did
    handle(WTERMSIG(failure), SIG_DFL);
    raise(WTERMSIG(failure));
  }
  return failure == 0 ? 0 : WEXITSTATUS(failure);
}
