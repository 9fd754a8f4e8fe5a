#include "orchestrator/process/open_files.h"

#include <cerrno>
#include <system_error>

namespace windrow {
namespace {

// A slot: the trainer's three pipes and the guard's socket; while one starts, the pipes' other ends
// and the text of the command.
constexpr rlim_t kPerSlot = 4, kWhileStarting = 4;
// The database with its log, the locks, MPI's own files and what plug-ins open.
constexpr rlim_t kRest = 100;

}  // namespace

OpenFilesLimit raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::system_error(errno, std::generic_category(), "getrlimit(RLIMIT_NOFILE)");
  OpenFilesLimit result{limit.rlim_cur, limit.rlim_cur};
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) result.now = limit.rlim_cur;
  return result;
}

std::optional<std::string> open_files_fault(int slots, rlim_t limit) {
  const rlim_t needed = kRest + kWhileStarting + kPerSlot * static_cast<rlim_t>(slots);
  if (limit == RLIM_INFINITY || limit >= needed) return std::nullopt;
  return std::to_string(slots) + " slots need " + std::to_string(needed) +
         " open files, but this process may have " + std::to_string(limit) +
         " (ulimit -Hn); raise the hard limit (ulimit -Hn " + std::to_string(needed) +
         ", or the nofile line of /etc/security/limits.conf), or use fewer slots (--slots)";
}

}  // namespace windrow
