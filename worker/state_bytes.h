// A training's state as bytes in host memory: for checkpoints, and for its hash.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace windrow::worker {

// One blob a tensor: its elements in order. Waits for the device.
std::vector<std::string> bytes_of(const std::vector<at::Tensor>& tensors);

// Content hash over the blobs in order: the "state_hash" of epoch messages.
std::string state_hash(const std::vector<std::string>& blobs);

// Writes blobs[first], blobs[first + 1], ... into the tensors. False, and nothing is written, when
// there are too few blobs or one has another size than its tensor.
bool load_bytes(const std::vector<std::string>& blobs, std::size_t first,
                const std::vector<at::Tensor>& tensors);

}  // namespace windrow::worker
