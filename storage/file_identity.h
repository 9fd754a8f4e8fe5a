// A file that is removed while it is written takes all that is written with it, without an error.
// Internal to storage/.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "storage/error.h"

namespace windrow::storage {

// Whether a database and its write-ahead log, where it has one, are still those that were opened.
class FileIdentity {
 public:
  explicit FileIdentity(const std::filesystem::path& file)
      : file_(file), log_(file.string() + "-wal") {}

  // The database's name may be another one's by now.
  bool moved() const { return file_.moved(); }
  void check() const {
    if (file_.moved())
      throw StorageError(file_.path.string() +
                         ": was removed or replaced while the run wrote it; what is recorded would "
                         "be lost, so the run ends. Put the file back, or begin a new one");
    if (log_.moved())
      throw StorageError(log_.path.string() +
                         ": was removed or replaced while the run wrote it, so that no other "
                         "program sees what is recorded; the run ends, which brings it into the "
                         "database, and the same command goes on");
  }

 private:
  struct Opened {
    explicit Opened(std::filesystem::path name) : path(std::move(name)), known(read()) {}
    bool moved() const { return read() != known; }
    std::pair<dev_t, ino_t> read() const {
      struct stat about {};
      if (stat(path.c_str(), &about) != 0) return {};
      return {about.st_dev, about.st_ino};
    }
    std::filesystem::path path;
    std::pair<dev_t, ino_t> known;  // zeros: there was none
  };

  Opened file_, log_;
};

}  // namespace windrow::storage
