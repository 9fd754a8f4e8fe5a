// A trained model out of a checkpoint, as a safetensors file
// (https://github.com/huggingface/safetensors: header size u64, JSON header, tensors' bytes).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "protocol/messages.h"
#include "worker/checkpoint/checkpoint.h"

namespace windrow::worker {

// What is where in a checkpoint's blobs: Checkpoint::layout is this as JSON.
//   {"weights": blobs of the model, which come first, "state": blobs of all that training goes on
//    from; after them those of the best epoch's weights, if they are restored at the end,
//    "tensors": [[name, shape, blob, first element], ...]}
// All elements are float32.

// The bytes of the file. Of the best epoch's weights where the checkpoint has them: the result's.
// The header's __metadata__ has `metadata` and, beside them, epoch and weights ("last epoch" or
// "best epoch"). Throws CheckpointError where the checkpoint says nothing of its tensors.
std::string safetensors_of(const Checkpoint& checkpoint,
                           const std::map<std::string, std::string>& metadata);

// From the newest checkpoint of the folder that can be read into a new file, which is there whole
// or not at all. Throws CheckpointError, and TrainerError where it can't be written.
void export_weights(const std::filesystem::path& folder, const std::filesystem::path& file,
                    const std::map<std::string, std::string>& metadata);

}  // namespace windrow::worker
