// A run's snapshot as lines for people.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/control/snapshot.h"

namespace windrow::commands {

// Counts, a bar, the slots, the best trials so far and the last failures.
std::vector<std::string> snapshot_lines(const control::Snapshot& snapshot,
                                        double epochs_per_second = 0, std::size_t most_slots = 16);

}  // namespace windrow::commands
