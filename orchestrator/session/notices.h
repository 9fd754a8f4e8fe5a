// Tells whom the study names (`on_end`, `on_failure`), beside the run and never to its harm.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/process/event_loop.h"
#include "sweeps/study.h"

namespace windrow {

class Notices {
 public:
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  Notices(const sweeps::Study& study, const std::filesystem::path& database, LogLine log);
  ~Notices();  // waits for those that are told, each for kLimit at most

  // Trials that have failed for good so far. The first one is told at once, more of them after
  // kPause. `summary` is asked for only then. Several times a second.
  void tick(Clock::time_point now, int failed, const std::function<nlohmann::json()>& summary);

  void failure(const nlohmann::json& summary);
  void end(const nlohmann::json& summary);

  static constexpr std::chrono::seconds kLimit{30};  // for whom is told
  static constexpr std::chrono::minutes kPause{10};

 private:
  void tell(const char* event, const sweeps::Notice& whom, nlohmann::json what);
  void reap(bool wait);

  const sweeps::Study& study_;
  std::string database_;
  LogLine log_;
  int told_failures_ = 0;
  Clock::time_point next_failure_{};
  std::vector<std::future<std::string>> telling_;  // each gives what went wrong, "" = nothing
};

}  // namespace windrow
