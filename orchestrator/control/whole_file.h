// Small files that others read while they are written: there whole, or not at all.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace windrow::control {

// Replaces the file at once; `mode` is its own from its first byte on. What went wrong, with the
// file's name; "" = nothing.
std::string write_whole_file(const std::filesystem::path& file, const std::string& text,
                             mode_t mode = 0666);

// Throws std::runtime_error, with the reason, where it can't be read.
std::string read_whole_file(const std::filesystem::path& file);

}  // namespace windrow::control
