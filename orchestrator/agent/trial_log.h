// What a trial's trainers write, kept in a file a trial: for `windrow logs`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "protocol/messages.h"

namespace windrow {

// The file of a trial; its checkpoint folder's neighbour. Beside it lies FILE.1, the part before.
std::filesystem::path trial_log_file(const std::filesystem::path& checkpoints, TrialId trial);

// Lines are gathered and written by flush(), or when there are many. The file is made with the
// first of them: a silent trial has none. It is bounded: past kMost bytes it becomes FILE.1 and a
// new one begins. What can't be written is lost, silently: the run matters more.
class TrialLog {
 public:
  static constexpr std::int64_t kMost = 4 << 20;

  TrialLog() = default;
  ~TrialLog() { flush(); }
  TrialLog(const TrialLog&) = delete;
  TrialLog& operator=(const TrialLog&) = delete;

  // The attempt that writes from now on; `where` stands in its heading.
  void begin(const protocol::Start& start, const std::string& where);
  void add(std::string_view line);
  void flush();

 private:
  std::filesystem::path file_;  // "" = none is kept
  std::string heading_;         // to be written before the next line
  std::string gathered_;
};

}  // namespace windrow
