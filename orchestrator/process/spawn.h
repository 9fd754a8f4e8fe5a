// Starting another program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace windrow {

struct SpawnCommand {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  // Files of this process and the numbers under which the child has them. It inherits those that
  // aren't marked to be closed on exec; all that windrow opens are.
  std::vector<std::pair<int, int>> files;
  std::vector<int> null_files;   // numbers that are /dev/null there
  std::filesystem::path folder;  // where it starts; empty: this process's
  bool own_group = false;        // Ctrl-C on a terminal does not reach it
  bool signals_blocked = false;  // all, until it unblocks them itself
};

// SIGPIPE, SIGINT and SIGQUIT, which windrow may ignore, are as programs expect them. Returns the
// pid of the child, which the caller must wait for. Throws std::system_error ("can't start NAME")
// where it can't be started.
pid_t spawn(const SpawnCommand& command);

}  // namespace windrow
