// Choice sets from a user's own files, on a device (sweeps/data/ reads and checks them).
#pragma once

#include <string>

#include "protocol/messages.h"
#include "sweeps/data/choice_files.h"
#include "worker/data/choice_sets.h"

namespace windrow::worker {

struct FileSets {
  ChoiceSets training;  // those for validation included: the last ones
  ChoiceSets test;
  std::string hash;      // of all of them
  protocol::Json facts;  // for people: files, shapes and hashes
};

// Throws sweeps::DataFileError.
FileSets load_choice_files(const sweeps::ChoiceFiles& files, double validation_split,
                           at::Device device);

// Changes when a file is written anew: what a cache may know the loaded sets by.
std::string version_of(const sweeps::ChoiceFiles& files);

}  // namespace windrow::worker
