// Children under a guard, for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/process/child_process.h"

namespace windrow {

// A zombie counts as ended: what it had is given back.
inline bool has_ended(pid_t pid) {
  FILE* stat = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
  if (stat == nullptr) return true;
  char state = 0;
  const int n = std::fscanf(stat, "%*d %*s %c", &state);
  std::fclose(stat);
  return n == 1 && (state == 'Z' || state == 'X');
}

inline pid_t parent_of(pid_t pid) {
  FILE* stat = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
  if (stat == nullptr) return 0;
  pid_t parent = 0;
  const int n = std::fscanf(stat, "%*d %*s %*c %d", &parent);
  std::fclose(stat);
  return n == 1 ? parent : 0;
}

class GuardedTest : public testing::Test {
 protected:
  static constexpr std::chrono::seconds kDeadline{20};

  // A shell script's lines of stdout go to out_.
  ChildCommand shell(const std::string& script, LockPlace lock = {}) {
    return {{"sh", "-c", script}, {}, std::move(lock)};
  }
  std::unique_ptr<ChildProcess> start(const ChildCommand& command, ChildEvents events = {}) {
    events.on_stdout = [this](std::string_view line) { out_.emplace_back(line); };
    return std::make_unique<ChildProcess>(guards_, command, std::move(events));
  }

  // Runs the loop until the condition is true; a failure after a while.
  void run_until(const std::string& what, const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + kDeadline;
    while (!condition()) {
      if (Clock::now() > deadline) throw std::runtime_error("never came: " + what);
      loop_.run_once(std::chrono::milliseconds(10));
    }
  }
  ChildExit wait(ChildProcess& child) {
    std::optional<ChildExit> exit;
    run_until("the child's end", [&] { return (exit = child.poll_exit()).has_value(); });
    return *exit;
  }
  // The pids that a script echoed.
  std::vector<pid_t> pids(std::size_t count) {
    run_until("pids", [&] { return out_.size() >= count; });
    std::vector<pid_t> result;
    for (const std::string& line : out_) result.push_back(std::stoi(line));
    return result;
  }
  void expect_all_end(const std::vector<pid_t>& processes) {
    for (const pid_t pid : processes)
      run_until("the end of " + std::to_string(pid), [&] { return has_ended(pid); });
  }

  EventLoop loop_;
  GuardPool guards_{loop_};
  std::vector<std::string> out_;
};

}  // namespace windrow
