// A worker's part in a run that it joins: `windrow work`.
#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/agent/devices.h"
#include "orchestrator/console/console.h"

namespace windrow {

struct WorkOptions {
  std::filesystem::path database;  // whose run is joined, by the file DATABASE.door
  std::string trainer;             // "" = windrow-trainer beside this program
  SlotWishes slots;
  double wait_seconds = 600;       // for a run to be there, also after it was lost
  double stop_within_seconds = 0;  // 0: no limit
  std::string until;               // a time, see time_limit.h; "": the batch system's end
  Console::Verbosity verbosity = Console::Verbosity::normal;
};

// Works until the run is over, this process is told to stop, its time is up, or no run is there for
// the time that it waits. Returns the exit code.
int work_session(const WorkOptions& options);

}  // namespace windrow
