#include "orchestrator/process/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "orchestrator/process/control_groups.h"

namespace windrow {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

std::int64_t host_memory(const std::string& root) {
  std::ifstream lines(root + "/proc/meminfo");
  std::string name, rest;
  for (std::int64_t kibibytes = 0; lines >> name >> kibibytes; std::getline(lines, rest))
    if (name == "MemTotal:") return kibibytes << 10;
  return kNone;
}

// A group without a limit has a file that says "max", or (version 1) a number beyond all memory.
std::int64_t limit_of(const std::filesystem::path& file) {
  std::int64_t limit = 0;
  return std::ifstream(file) >> limit ? limit : kNone;
}

std::int64_t group_memory(const ControlGroup& group) {
  const char* file = group.unified ? "memory.max" : "memory.limit_in_bytes";
  std::int64_t least = limit_of(group.base / file);
  std::filesystem::path folder = group.base;
  for (const auto& part : group.path) least = std::min(least, limit_of((folder /= part) / file));
  return least;
}

}  // namespace

std::int64_t memory_limit(const std::string& root) {
  std::int64_t least = host_memory(root);
  for (const ControlGroup& group : control_groups("memory", root))
    least = std::min(least, group_memory(group));
  return least == kNone ? 0 : least;
}

}  // namespace windrow
