// How far a run is, for those who can't ask the coordinator: a file beside the database that is
// replaced every few seconds. It is there while the run is, and says no more than the run's own
// progress display and the database do.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/results/highlights.h"
#include "sweeps/study.h"

namespace windrow::control {

struct Snapshot {
  std::string host;
  std::int64_t pid = 0;
  double age_seconds = 0;  // of the file, by this host's clock
  RunView run;
  Highlights highlights;
};

std::filesystem::path snapshot_file(const std::filesystem::path& database);

// nullopt: there is none, or none that this version can read.
std::optional<Snapshot> read_snapshot(const std::filesystem::path& file);

// Writes it, in a thread of its own: the run waits for neither the disk nor the database.
class Publisher {
 public:
  Publisher(std::filesystem::path database, const sweeps::Study& study);
  ~Publisher();  // removes the file
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Takes a view when it is time for the next one. `view` is asked for only then.
  void tick(Clock::time_point now, const std::function<RunView()>& view);

  std::string best();  // finished trial that was read last, in words; "" = none yet

 private:
  void work();

  std::filesystem::path database_;
  const sweeps::Study& study_;
  Clock::time_point next_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RunView> view_;  // that waits to be written
  std::string best_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace windrow::control
