#include "storage/process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace windrow::storage {
namespace {

// "BOOT-ID:TICKS" of a process of this host, "" where there is none. Field 22 of /proc/PID/stat,
// counted after the command's name, which may hold blanks and parentheses (proc(5)).
std::string process_start(std::int64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return "";
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return "";
  std::istringstream fields(line.substr(name_end + 1));
  std::string state, field;
  fields >> state;                              // field 3
  if (state == "Z" || state == "X") return "";  // dead, not yet waited for
  for (int number = 4; number <= 22; ++number) fields >> field;
  std::ifstream boot_id("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(boot_id, boot);
  return boot + ":" + field;
}

}  // namespace

ProcessIdentity this_process() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::int64_t pid = getpid();
  return {host, pid, process_start(pid)};
}

bool is_alive(const ProcessIdentity& process) {
  return process_start(process.pid) == process.start;
}

// By inode alone: one file may be mounted twice.
bool may_have_open(const ProcessIdentity& process, const std::filesystem::path& file) {
  struct stat wanted {
  }, open{};
  if (stat(file.c_str(), &wanted) != 0) return true;
  std::error_code error;
  std::filesystem::directory_iterator at("/proc/" + std::to_string(process.pid) + "/fd", error);
  for (; at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (stat(at->path().c_str(), &open) != 0 ? errno != ENOENT : open.st_ino == wanted.st_ino)
      return true;
  }
  return static_cast<bool>(error);  // also where it ends meanwhile
}

}  // namespace windrow::storage
