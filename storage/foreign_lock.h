// A lock on a database as another program would leave it that forgot to end its transaction; for
// trying what a run does then.
#pragma once

#include <filesystem>
#include <memory>

namespace windrow::storage {

class ForeignLock {
 public:
  // Throws StorageError where the file can't be had, or is another's for longer than two seconds.
  explicit ForeignLock(const std::filesystem::path& file);
  ~ForeignLock();
  ForeignLock(const ForeignLock&) = delete;
  ForeignLock& operator=(const ForeignLock&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow::storage
