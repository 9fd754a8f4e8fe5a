// The finished trials that have checkpoints when a run begins.
#pragma once

#include <filesystem>
#include <vector>

#include "orchestrator/coordinator/kept_trials.h"
#include "storage/reader.h"

namespace windrow {

// In the order in which they finished. `checkpoints`: the folder of all trials' checkpoint folders.
std::vector<FinishedTrial> kept_before(storage::Reader& reader, const sweeps::Study& study,
                                       const std::filesystem::path& checkpoints);

}  // namespace windrow
