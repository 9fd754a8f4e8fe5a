#include "orchestrator/process/memory_kills.h"

#include <fstream>

namespace windrow {
namespace {

constexpr std::chrono::seconds kBetweenLooks{1};

// Of a file with lines of a name and a number.
std::optional<std::int64_t> number_of(const std::string& file, const std::string& name) {
  std::ifstream lines(file);
  std::string key;
  for (std::int64_t value = 0; lines >> key >> value;)
    if (key == name) return value;
  return std::nullopt;
}

// The memory controller's file of this process's control group, with the counts of all below it; ""
// where there is none. cgroups(7): lines are ID:CONTROLLERS:PATH.
std::string events_file(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string v2;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers.find(",memory,") != controllers.npos)
      return root + "/sys/fs/cgroup/memory" + path + "/memory.oom_control";
    if (controllers == ",,") v2 = root + "/sys/fs/cgroup" + path + "/memory.events";
  }
  return v2;
}

}  // namespace

std::optional<std::int64_t> memory_kills(const std::string& root) {
  const std::string group = events_file(root);
  if (!group.empty())
    if (const auto kills = number_of(group, "oom_kill")) return kills;
  return number_of(root + "/proc/vmstat", "oom_kill");
}

void MemoryKills::tick(Time now) {
  if (last_ && now - looked_ < kBetweenLooks) return;
  before_last_ = last_;
  last_ = memory_kills(root_);
  looked_ = now;
}

bool MemoryKills::lately() const {
  const auto& then = before_last_ ? before_last_ : last_;
  const auto kills = memory_kills(root_);
  return then && kills && *kills > *then;
}

}  // namespace windrow
