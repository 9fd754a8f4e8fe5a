// A fault tried: the study is launched, the fault done, the run gone on with, the outcome judged.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "orchestrator/drill/fault.h"
#include "orchestrator/drill/verdict.h"

namespace windrow::drill {

struct Settings {
  std::string launcher;                  // "" = one process here
  std::vector<std::string> run_options;  // of `windrow run`, beside its own
  int trials = 12;
  double lost_seconds = 5;            // --lost-after of the run
  double deadline_seconds = 180;      // for a fault, after which its run is killed
  std::function<bool()> interrupted;  // true: the drill is to end
};

// In `folder`, which is made, and which all hosts share. Throws std::runtime_error where it can't
// be made, or the launcher not be started.
Outcome try_fault(const Fault& fault, const Settings& settings,
                  const std::filesystem::path& folder);

}  // namespace windrow::drill
