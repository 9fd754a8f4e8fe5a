// What a system call failed for, as an exception.
#pragma once

#include <cerrno>
#include <system_error>

namespace windrow {

[[noreturn]] inline void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace windrow
