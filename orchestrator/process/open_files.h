// How many files this process may have open: each slot takes some.
#pragma once

#include <sys/resource.h>

#include <optional>
#include <string>

namespace windrow {

struct OpenFilesLimit {
  rlim_t before;  // the soft limit that this process was started with; its trainers get that
  rlim_t now;
};
// Raises the soft limit to the hard one. Programs that use select(2) break above 1024 files, so
// what is started later should be given `before` back.
OpenFilesLimit raise_open_files_limit();

// Why `limit` doesn't suffice for `slots` slots, and the remedy; nullopt where it does.
std::optional<std::string> open_files_fault(int slots, rlim_t limit);

}  // namespace windrow
