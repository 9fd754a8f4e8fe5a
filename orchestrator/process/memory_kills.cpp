#include "orchestrator/process/memory_kills.h"

#include <fstream>

#include "orchestrator/process/control_groups.h"

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
// where there is none.
std::string events_file(const std::string& root) {
  std::string unified;
  for (const ControlGroup& group : control_groups("memory", root)) {
    if (!group.unified) return group.base / group.path / "memory.oom_control";
    unified = group.base / group.path / "memory.events";
  }
  return unified;
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
