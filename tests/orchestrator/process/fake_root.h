// Files of the kernel's as a test wants them, below a folder of its own.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/storage/temporary_folder.h"

namespace windrow {

class FakeRoot {
 public:
  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = name() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::string name() const { return (folder_ / "").string(); }

 private:
  storage::TemporaryFolder folder_;
};

}  // namespace windrow
