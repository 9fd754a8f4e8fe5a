// What a checkpoint belongs to.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::worker {

// Of task, parameters, seed, early stopping and data: 32 hexadecimal digits. The number of threads
// and the device aren't part of it. Nor is the number of epochs, which says how long and not how it
// is trained, nor a parameter at its default, so that a task may get more of them.
// Throws TrainerError{spec} as Parameters do.
// `data_hash` is what the parameters don't say of the data, "" where they say it all.
std::string trial_hash(const protocol::Start& start, const std::string& data_hash = "");
// As checkpoints of earlier versions have it: of all parameters, without and with the epochs.
std::vector<std::string> earlier_trial_hashes(const protocol::Start& start,
                                              const std::string& data_hash = "");

}  // namespace windrow::worker
