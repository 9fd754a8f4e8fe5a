// A folder for what is not to stay.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace windrow {

// Beside the database: on a disk that is meant for such. Removed at the end.
class ScratchFolder {
 public:
  // `purpose` is in its name, should it be left by a kill.
  ScratchFolder(const std::filesystem::path& database, const std::string& purpose) {
    const auto place = std::filesystem::absolute(database).parent_path();
    std::string name = (place / (".windrow-" + purpose + "-XXXXXX")).string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("can't make a folder beside " + database.string() + ": " +
                               std::strerror(errno));
    path_ = name;
  }
  ~ScratchFolder() {
    if (kept_) return;
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }  // it stays at the end

 private:
  bool kept_ = false;
  std::filesystem::path path_;
};

}  // namespace windrow
