#include "orchestrator/guard/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace windrow::guard {
namespace {

// The fourth word of /proc/PID/stat; 0 where the process is gone. The second word is the program's
// name in brackets, which may hold spaces and brackets.
pid_t parent_of(pid_t pid) {
  char path[64], text[512];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  const char* bracket = std::strrchr(text, ')');
  int parent = 0;
  return bracket != nullptr && std::sscanf(bracket + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

}  // namespace

std::vector<pid_t> descendants(const std::vector<ProcessParent>& processes, pid_t root) {
  std::vector<pid_t> found{root};
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const ProcessParent& each : processes)
      if (each.parent == found[i]) found.push_back(each.pid);
  found.erase(found.begin());
  return found;
}

std::vector<ProcessParent> running_processes() {
  std::vector<ProcessParent> processes;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return processes;
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = std::atoi(entry->d_name);  // 0: no process
    if (pid <= 0) continue;
    if (const pid_t parent = parent_of(pid); parent > 0) processes.push_back({pid, parent});
  }
  closedir(folder);
  return processes;
}

void kill_descendants() {
  for (const pid_t pid : descendants(running_processes(), getpid())) kill(pid, SIGKILL);
}

}  // namespace windrow::guard
