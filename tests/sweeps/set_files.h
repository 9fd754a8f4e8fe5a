// What the tests of set files share: files of a test's own, and what is said when one is refused.
#pragma once

#include <unistd.h>

#include <cstring>
#include <fstream>

#include "sweeps/data/choice_files.h"

namespace windrow::sweeps::test {

class Files {
 public:
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "windrow-data-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed: " + name);
    folder_ = name;
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

 private:
  std::filesystem::path folder_;
};

// A .npy file's bytes (numpy.lib.format, version 1.0): `data` are the elements as they lie there.
inline std::string npy(const std::string& dtype, const std::string& shape, const std::string& data,
                       bool fortran = false) {
  std::string header = "{'descr': '" + dtype +
                       "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() % 256) +
         static_cast<char>(header.size() / 256) + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// What is said when the file is refused; "" where it is taken.
inline std::string refusal(const SetFile& file) {
  try {
    read_set_file(file);
    return "";
  } catch (const DataFileError& error) {
    return error.what();
  }
}

}  // namespace windrow::sweeps::test
