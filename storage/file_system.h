// Which file system a folder is on, and whether several hosts share it.
#pragma once

#include <filesystem>

namespace windrow::storage {

struct FileSystem {
  unsigned long magic;  // statfs(2)'s f_type, as linux/magic.h and the systems' own sources say
  const char* name;
  bool shared;  // between hosts: locks and shared memory may end at the host's border
};

// Null where it is not a known one, or the folder can't be looked at.
const FileSystem* file_system_of(const std::filesystem::path& folder);

}  // namespace windrow::storage
