// What the readers of data files share: their error, and a file as bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace windrow::sweeps {

// A data file that can't be used. what() is "FILE: ..." or "FILE:LINE: ...", and says which value
// is wrong and what to do.
struct DataFileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& message);
[[noreturn]] void refuse_line(const std::filesystem::path& file, std::int64_t line,
                              const std::string& message);

// The whole file. Throws DataFileError.
std::string read_data_file(const std::filesystem::path& file);

// The shortest decimals that give the number again: 0.5, nan, 1e+300.
std::string shown(double value);

}  // namespace windrow::sweeps
