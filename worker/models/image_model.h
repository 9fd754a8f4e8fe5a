// Models that classify images. A new one is a file in this folder and a line in image_model.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "worker/models/weights.h"
#include "worker/parameters.h"
#include "worker/randomness.h"

namespace windrow::worker {

struct ShardsTogether;

// What a forward pass depends on beside the weights and the images.
struct Pass {
  bool training = false;  // false: evaluation, without dropout
  std::int64_t seed = 0;  // the trial's
  int epoch = 0;
  std::int64_t step = 0;  // within the epoch
  // Where the images lie in the step's batch, of which they may be a shard: dropout's mask is that
  // of the whole batch.
  std::int64_t first_image = 0;
  const ShardsTogether* together = nullptr;  // the images are of several shards, side by side

  // Of the pass's own dropout layer number `layer` (from 0, below 1024).
  RandomStream dropout_stream(std::uint64_t layer) const {
    return {seed, epoch, Purpose::dropout, static_cast<std::uint64_t>(step) * 1024 + layer};
  }
};

class ImageModel {
 public:
  virtual ~ImageModel() = default;

  // Images float [n, 3, 32, 32], channels last in memory, to logits [n, 10]. Differentiable by
  // autograd with respect to the weights.
  virtual at::Tensor forward(const at::Tensor& images, const Pass& pass) = 0;
};

// Adds the model's weights; the caller allocates them. Throws TrainerError{spec} where there is no
// model of the name.
std::unique_ptr<ImageModel> make_image_model(const std::string& name, const Parameters& parameters,
                                             Weights& weights);

}  // namespace windrow::worker
