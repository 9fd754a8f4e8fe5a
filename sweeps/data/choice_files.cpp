#include "sweeps/data/choice_files.h"

#include <algorithm>
#include <cmath>

namespace windrow::sweeps {
namespace {

namespace fs = std::filesystem;
using protocol::Json;

const Json& value_of(const Json& parameters, const char* key) {
  static const Json null;
  const auto found = parameters.find(key);
  return found == parameters.end() ? null : *found;
}

fs::path path_of(const Json& parameters, const char* key, const fs::path& data_dir) {
  const Json& value = value_of(parameters, key);
  return value.is_string() ? data_dir / value.get<std::string>() : fs::path();
}

std::int64_t count_of(const Json& parameters, const char* key) {
  const Json& value = value_of(parameters, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

// A relative path that isn't in the data folder, but in the current one, is an easy mistake.
void check_there(const SetFile& set, const fs::path& data_dir) {
  for (const fs::path& file : {set.file, set.choices}) {
    std::error_code error;
    if (file.empty() || fs::exists(file, error)) continue;
    const fs::path relative = file.lexically_relative(data_dir);
    const bool in_current =
        !relative.empty() && *relative.begin() != ".." && fs::exists(relative, error);
    refuse_file(file, std::string("does not exist; ") +
                          (in_current ? "paths count from the data folder: give --data . for the "
                                        "current one"
                                      : "give the whole path, or name the folder that it counts "
                                        "from with --data or WINDROW_DATA"));
  }
}

std::string shape_of(const SetData& data) {
  return std::to_string(data.items) + " items of " + std::to_string(data.features) + " features";
}

}  // namespace

std::optional<ChoiceFiles> choice_files(const Json& parameters, const fs::path& data_dir) {
  const auto set_file = [&](const char* file, const char* choices) {
    return SetFile{path_of(parameters, file, data_dir), path_of(parameters, choices, data_dir),
                   count_of(parameters, "items"), count_of(parameters, "features")};
  };
  const ChoiceFiles files{set_file("train_file", "train_choice_file"),
                          set_file("test_file", "test_choice_file")};
  const auto check_named = [](const char* key, const SetFile& set, const SetFile& other) {
    if (set.file.empty() && !(set.choices.empty() && other.file.empty()))
      throw DataFileError(std::string("parameter ") + key +
                          " is missing; name both files, train_file and test_file, or none for "
                          "generated sets");
  };
  check_named("train_file", files.training, files.test);
  check_named("test_file", files.test, files.training);
  if (files.training.file.empty()) {
    if (files.training.features == 1 || files.training.features == 2)
      throw DataFileError("parameter features is " + std::to_string(files.training.features) +
                          ", but generated sets need at least 3; give more, or name train_file and "
                          "test_file");
    return std::nullopt;
  }
  check_there(files.training, data_dir);
  check_there(files.test, data_dir);
  return files;
}

std::int64_t validation_sets(std::int64_t sets, double split) {
  const auto training =
      static_cast<std::int64_t>(std::floor(static_cast<double>(sets) * (1 - split) + 1e-9));
  return sets - std::clamp<std::int64_t>(training, 1, sets - 1);
}

void check_pair(const ChoiceFiles& files, const SetData& training, const SetData& test,
                double validation_split) {
  const std::string name = files.training.file.string();
  if (training.items != test.items || training.features != test.features)
    refuse_file(files.test.file, "has sets of " + shape_of(test) + ", but " + name + " of " +
                                     shape_of(training) + "; both need the same");
  if (training.hash == test.hash)
    refuse_file(files.test.file, "has the same sets as " + name +
                                     "; an error on sets seen in training says nothing: name other "
                                     "sets as test_file");
  const auto sets = static_cast<double>(training.sets);
  if (sets * validation_split < 1 || sets * (1 - validation_split) < 1)
    refuse_file(files.training.file,
                "has " + std::to_string(training.sets) + (training.sets == 1 ? " set" : " sets") +
                    ", too few to hold out a share of " + shown(validation_split) +
                    " for validation; give more sets or another validation_split");
}

std::string choice_sets_fault(const Json& parameters, const fs::path& data_dir) {
  try {
    if (const auto files = choice_files(parameters, data_dir)) {
      const SetData training = read_set_file(files->training), test = read_set_file(files->test);
      check_pair(*files, training, test, value_of(parameters, "validation_split").get<double>());
    }
    return "";
  } catch (const DataFileError& error) {
    return error.what();
  }
}

}  // namespace windrow::sweeps
