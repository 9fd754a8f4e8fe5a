#include "orchestrator/control/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace windrow::control {

std::string write_whole_file(const std::filesystem::path& file, const std::string& text,
                             mode_t mode) {
  const std::string fresh = file.string() + "." + std::to_string(getpid()) + ".tmp";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const bool whole =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (whole && close(fd) == 0 && rename(fresh.c_str(), file.c_str()) == 0) return "";
  const std::string why = std::strerror(errno);
  if (fd >= 0 && !whole) close(fd);
  unlink(fresh.c_str());
  return file.string() + ": can't be written: " + why;
}

std::string read_whole_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + ": can't be read: " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace windrow::control
