#include "orchestrator/process/control_groups.h"

#include <fstream>

namespace windrow {

std::vector<ControlGroup> control_groups(const std::string& controller, const std::string& root) {
  const std::filesystem::path mounted = root + "/sys/fs/cgroup";
  std::vector<ControlGroup> groups;
  std::ifstream lines(root + "/proc/self/cgroup");  // ID:CONTROLLERS:PATH
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const auto path = std::filesystem::path(line.substr(second + 1)).relative_path();
    if (controllers.empty())
      groups.push_back({mounted, path, true});
    else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos)
      groups.push_back({mounted / controller, path, false});
  }
  return groups;
}

}  // namespace windrow
