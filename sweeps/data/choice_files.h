// The files that the parameters of task choice-sets name, as a pair that fits together.
#pragma once

#include <filesystem>
#include <optional>

#include "protocol/messages.h"
#include "sweeps/data/set_file.h"

namespace windrow::sweeps {

struct ChoiceFiles {
  SetFile training, test;
};

// The files of complete parameters; relative paths count from `data_dir`. nullopt: the sets are
// generated. Throws DataFileError where one is named without the other or doesn't exist, and where
// sets are to be generated with too few features.
std::optional<ChoiceFiles> choice_files(const protocol::Json& parameters,
                                        const std::filesystem::path& data_dir);

// The sets that are held out for validation, the last ones: floor(split * sets) to rounding, as
// Keras has it, but at least one on either side.
std::int64_t validation_sets(std::int64_t sets, double split);

// What keeps the sets of these parameters from being used; "" where nothing does. Reads the files.
std::string choice_sets_fault(const protocol::Json& parameters,
                              const std::filesystem::path& data_dir);

// Throws DataFileError where training and test sets don't have the same items and features, or are
// the same sets, or where the training sets are too few for the validation split.
void check_pair(const ChoiceFiles& files, const SetData& training, const SetData& test,
                double validation_split);

}  // namespace windrow::sweeps
