#include "orchestrator/control/whole_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace windrow::control {

std::string write_whole_file(const std::filesystem::path& file, const std::string& text) {
  const std::string fresh = file.string() + "." + std::to_string(getpid()) + ".tmp";
  {
    std::ofstream out(fresh, std::ios::binary);
    out << text;
    if (!out.flush()) {
      const std::string why = std::strerror(errno);
      unlink(fresh.c_str());
      return file.string() + ": can't be written: " + why;
    }
  }
  if (rename(fresh.c_str(), file.c_str()) == 0) return "";
  const std::string why = std::strerror(errno);
  unlink(fresh.c_str());
  return file.string() + ": can't be replaced: " + why;
}

std::string read_whole_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + ": can't be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace windrow::control
