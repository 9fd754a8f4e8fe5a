// All that a process started, and what those started.
#pragma once

#include <sys/types.h>

#include <vector>

namespace windrow::guard {

struct ProcessParent {
  pid_t pid, parent;
};
// Those of `processes` that descend from `root`; each comes after its parent.
std::vector<pid_t> descendants(const std::vector<ProcessParent>& processes, pid_t root);

// This host's processes as /proc shows them now.
std::vector<ProcessParent> running_processes();

// SIGKILL to each descendant of this process, which must be the subreaper of its tree: then none of
// them can leave it. New ones may have come meanwhile: to be called until waitpid(2) finds no
// child.
void kill_descendants();

}  // namespace windrow::guard
