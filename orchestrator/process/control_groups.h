// The control groups that this process is in: what a batch system or a container allows it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace windrow {

struct ControlGroup {
  std::filesystem::path base;  // where its hierarchy is mounted
  std::filesystem::path path;  // of the group below that; "" = the root group
  bool unified = false;        // version 2, which has all controllers
};

// Those of a controller ("cpu", "memory") of version 1, and the one of version 2; see cgroups(7).
// `root` stands before all paths.
std::vector<ControlGroup> control_groups(const std::string& controller,
                                         const std::string& root = "");

}  // namespace windrow
