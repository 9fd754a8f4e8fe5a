// Small things that are read of a host: variables of this process, lines of system files.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace windrow {

// "" where it isn't set.
inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Without white space at both ends.
inline std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

}  // namespace windrow
