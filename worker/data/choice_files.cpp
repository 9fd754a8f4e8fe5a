#include "worker/data/choice_files.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "protocol/hash.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;

ChoiceSets tensors_of(const sweeps::SetData& data, at::Device device) {
  const ChoiceSets sets{at::empty({data.sets, data.items, data.features}, at::kFloat),
                        at::empty({data.sets}, at::kLong)};
  std::copy(data.x.begin(), data.x.end(), sets.x.mutable_data_ptr<float>());
  std::copy(data.choice.begin(), data.choice.end(), sets.choice.mutable_data_ptr<std::int64_t>());
  return {sets.x.to(device), sets.choice.to(device)};
}

protocol::Json facts_of(const sweeps::SetFile& file, const sweeps::SetData& data) {
  return {{"file", file.file.string()},
          {"sets", data.sets},
          {"items", data.items},
          {"features", data.features},
          {"hash", data.hash}};
}

}  // namespace

FileSets load_choice_files(const sweeps::ChoiceFiles& files, double validation_split,
                           at::Device device) {
  const sweeps::SetData training = read_set_file(files.training), test = read_set_file(files.test);
  check_pair(files, training, test, validation_split);
  return {tensors_of(training, device),
          tensors_of(test, device),
          protocol::content_hash(training.hash + test.hash),
          {{"training", facts_of(files.training, training)}, {"test", facts_of(files.test, test)}}};
}

std::string version_of(const sweeps::ChoiceFiles& files) {
  std::string version;
  for (const sweeps::SetFile* set : {&files.training, &files.test}) {
    for (const fs::path& file : {set->file, set->choices}) {
      std::error_code error;  // a file that can't be seen is refused when it is read
      version += file.string() + " " + std::to_string(fs::file_size(file, error)) + " " +
                 std::to_string(fs::last_write_time(file, error).time_since_epoch().count()) + " ";
    }
    version += std::to_string(set->items) + " " + std::to_string(set->features) + " ";
  }
  return version;
}

}  // namespace windrow::worker
