// Who a process is, so that a lock's holder can be named and its death be told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace windrow::storage {

struct ProcessIdentity {
  std::string host;
  std::int64_t pid = 0;
  std::string start;  // boot and start time: a reused pid differs in it

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

ProcessIdentity this_process();

// True while `process`, which must be of this host, runs.
bool is_alive(const ProcessIdentity& process);

// False where all that `process`, of this host, has open can be seen, and `file` is not among it.
bool may_have_open(const ProcessIdentity& process, const std::filesystem::path& file);

}  // namespace windrow::storage
