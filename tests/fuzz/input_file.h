// A fuzzer's input as a file in memory.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace windrow::fuzz {

// One file for all inputs: its path ends in `name`, by which readers tell formats apart.
inline std::filesystem::path input_file(const std::uint8_t* data, std::size_t size,
                                        const std::string& name) {
  static const int fd = memfd_create("input", MFD_CLOEXEC);
  static const std::filesystem::path folder = [] {
    std::string made = "/tmp/windrow-fuzz-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) std::abort();
    return std::filesystem::path(made);
  }();
  const std::filesystem::path link = folder / name;
  static const struct Remove {
    ~Remove() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
  } at_end{folder};
  if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  static const bool linked = [&] {
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(fd), link);
    return true;
  }();
  (void)linked;
  return link;
}

}  // namespace windrow::fuzz
