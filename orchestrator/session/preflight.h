// What can be known to be wrong before anything starts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "orchestrator/process/program.h"
#include "sweeps/study.h"

namespace windrow {

// windrow-trainer: `given` (--trainer), else $WINDROW_TRAINER, else beside this program.
std::string trainer_program(const std::string& given);

// `given` (--data), else $WINDROW_DATA, else windrow in the cache folder of the XDG convention.
std::string data_folder(const std::string& given);

// The faults that keep the study from running on this host, each with its remedy: the trainer is
// missing or not executable, a part of windrow is, a data file is missing, damaged or not what the
// parameters say (files of sets are read for that). Empty: none found.
std::vector<std::string> preflight_faults(const sweeps::Study& study, const std::string& trainer,
                                          const std::string& data_dir);

// Makes the folder where it is missing and tries whether files can be written there. Throws
// std::runtime_error with the reason and the remedy.
void check_can_write(const std::filesystem::path& checkpoints);

// The faults of a cifar-10-batches-bin folder in `data_dir` (or of that folder itself).
std::vector<std::string> cifar10_faults(const std::filesystem::path& data_dir);

}  // namespace windrow
