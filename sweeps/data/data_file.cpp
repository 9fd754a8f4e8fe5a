#include "sweeps/data/data_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

namespace windrow::sweeps {

namespace fs = std::filesystem;

void refuse_file(const fs::path& file, const std::string& message) {
  throw DataFileError(file.string() + ": " + message);
}

void refuse_line(const fs::path& file, std::int64_t line, const std::string& message) {
  throw DataFileError(file.string() + ":" + std::to_string(line) + ": " + message);
}

std::string read_data_file(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) refuse_file(file, "is a folder; name the file itself");
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) refuse_file(file, error.message());
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse_file(file, std::strerror(errno));
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(stream.gcount()) != size)
    refuse_file(file, "can't be read to its end: " + std::string(std::strerror(errno)));
  return bytes;
}

std::string shown(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace windrow::sweeps
