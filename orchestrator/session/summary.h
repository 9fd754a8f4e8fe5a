// The last words of a run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/exit_codes.h"

namespace windrow {

// "p3: 8 of 8 trials finished (776 epochs in 3 min 04 s)", and what is missing.
std::string summary_text(const RunView& view, RunEnd end, double wall_seconds);
nlohmann::json summary_json(const RunView& view, double wall_seconds);
Exit exit_code(RunEnd end);

}  // namespace windrow
