// A file that is removed while it is written takes all that is written with it, without an error.
// Internal to storage/.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "storage/error.h"

namespace windrow::storage {

// Whether the file of this name is still the one that was opened.
struct FileIdentity {
  explicit FileIdentity(std::filesystem::path path) : file(std::move(path)), known(read()) {}
  void check() const {
    if (read() != known)
      throw StorageError(file.string() +
                         ": was removed or replaced while the run wrote it; what is recorded would "
                         "be lost, so the run ends. Put the file back, or begin a new one");
  }
  std::pair<dev_t, ino_t> read() const {
    struct stat about {};
    if (stat(file.c_str(), &about) != 0) return {};
    return {about.st_dev, about.st_ino};
  }
  std::filesystem::path file;
  std::pair<dev_t, ino_t> known;
};

}  // namespace windrow::storage
