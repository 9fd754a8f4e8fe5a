// The state of the code under version control.
#pragma once

#include <filesystem>
#include <string>

namespace windrow::origin {

struct SourceTree {
  std::string commit;  // "" = the folder is under no version control, or git can't say
  bool dirty = false;  // something of it isn't committed
  std::string diff;    // of tracked files, up to kLongestDiff, and the names of files not tracked
};

inline constexpr std::size_t kLongestDiff = 256 << 10;

// Asks git, for ten seconds at most; nothing is written there.
SourceTree read_source_tree(const std::filesystem::path& folder);

}  // namespace windrow::origin
