// Running another program for a while at most, with a text as its input.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace windrow {

struct BoundedRun {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH
  std::string input;                               // its stdin
  std::chrono::steady_clock::time_point deadline;  // it is killed then, with all of its group
  std::size_t most = 4096;      // bytes of output that are kept; it is ended after them if
  bool end_after_most = false;  // this is set, else it goes on and the rest is dropped
  bool with_stderr = false;     // in the output too, else dropped
};

struct BoundedResult {
  std::optional<int> exit_code;  // 128 + the signal's number; nullopt: not started, or cut short
  std::string output;
  std::string fault;  // why there is no exit code
};

BoundedResult run_bounded(const BoundedRun& run);

}  // namespace windrow
