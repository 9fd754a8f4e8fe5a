// A model's weights: named tensors that lie one after the other in one flat buffer, their gradients
// in another. Optimizers, checkpoints and the sums of a gang each handle one buffer.
// What a model remembers beside its weights (running statistics) is not trained, but saved, hashed
// and restored with them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "worker/range.h"

namespace windrow::worker {

class Weights {
 public:
  // Initial values are a function of `seed` and the order of the calls of add_*, the same on every
  // device.
  Weights(at::Device device, std::int64_t seed) : device_(device), seed_(seed) {}

  // Adds float weights. A tensor handed out stays valid: allocate() moves its data.
  // Glorot uniform (Keras' default): uniform in ±sqrt(6 / (fan_in + fan_out)).
  at::Tensor add_glorot(const std::string& name, at::IntArrayRef shape, std::int64_t fan_in,
                        std::int64_t fan_out);
  at::Tensor add_uniform(const std::string& name, at::IntArrayRef shape,
                         double limit);  // in ±limit
  at::Tensor add_zeros(const std::string& name, at::IntArrayRef shape);
  at::Tensor add_ones(const std::string& name, at::IntArrayRef shape);
  // What a model remembers of the batches it was trained on; it isn't trained and doesn't count.
  struct Statistic {
    at::Tensor running;  // float, begins filled with `value`; evaluation reads it
    at::Tensor batch;    // of its shape, begins at 0: a forward pass in training writes here what
                         // follow_statistics() takes
  };
  Statistic add_statistic(const std::string& name, at::IntArrayRef shape, double value);

  // Puts all weights into the flat buffer. Call it once, after the last add_*. With more lanes than
  // one, autograd can have the weights so many times in one graph, each with gradients of its own.
  void allocate(bool autograd, std::int64_t lanes = 1);

  bool counts_statistics() const { return statistics_count_ > 0; }
  std::int64_t count() const { return count_; }                       // trainable parameters
  const at::Tensor& flat() const { return flat_; }                    // float [count]
  const at::Tensor& flat_gradient() const { return flat_gradient_; }  // float [count]
  // Float: what a training pass leaves, and what a gang adds up: the flat gradient, then all
  // statistics of the batch.
  const at::Tensor& pass_results() const { return pass_results_; }
  const at::Tensor& batch_statistics() const { return batch_statistics_; }
  // A weight as lane `lane` has it (0: the weight itself), which shares its values; what the lane's
  // passes leave; and the part of that which is the weight's gradient, shaped as it is.
  at::Tensor in_lane(const at::Tensor& weight, std::size_t lane) const;
  const at::Tensor& lane_results(std::size_t lane) const;
  at::Tensor lane_gradient(const at::Tensor& weight, std::size_t lane) const;
  // All running statistics go towards those of the batch: (1 - share) running + share batch.
  void follow_statistics(double share) const;
  // Where the matrices and filters lie, in order: all weights of two or more dimensions, so neither
  // biases nor the scales of a normalisation.
  std::vector<Range> matrices() const;
  // The flat buffer of weights, then that of running statistics where there are any: all that a
  // trained model is. Writing into them restores it.
  std::vector<at::Tensor> state() const;
  // Where each weight and running statistic lies in state().
  struct Place {
    std::string name;
    std::vector<std::int64_t> shape;
    int tensor = 0;           // of state()
    std::int64_t offset = 0;  // of its first element
  };
  std::vector<Place> layout() const;
  // The gradient of the weight named so, shaped as it is. Throws std::out_of_range.
  at::Tensor gradient(const std::string& name) const;
  at::Tensor operator[](const std::string& name) const;  // a weight or a running statistic

 private:
  struct Entry {
    std::string name;
    at::Tensor tensor;
    std::int64_t offset;
  };
  using Entries = std::vector<Entry>;
  static const Entry* find(const Entries& entries, const std::string& name);
  static void move_into(const at::Tensor& flat, Entries& entries);
  const Entry& entry_of(const at::Tensor& weight) const;
  at::Tensor add(const std::string& name, at::Tensor values);

  at::Device device_;
  std::int64_t seed_;
  std::int64_t count_ = 0, statistics_count_ = 0;
  Entries entries_, running_, batch_;
  struct Lane {
    at::Tensor results;              // as pass_results_
    std::vector<at::Tensor> leaves;  // as entries_
  };
  std::vector<Lane> lanes_;  // from lane 1 on
  at::Tensor flat_, flat_running_;
  at::Tensor pass_results_, flat_gradient_, batch_statistics_;  // the last two are parts of it
};

}  // namespace windrow::worker
