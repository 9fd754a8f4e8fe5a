// A model's weights: named tensors that lie one after the other in one flat buffer, their gradients
// in another. Optimizers, checkpoints and (later) the all-reduce of a gang each handle one buffer.
// What a model remembers beside its weights (running statistics) are its buffers: not trained, but
// saved, hashed and restored with them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace windrow::worker {

struct Range {  // of the flat buffer
  std::int64_t begin, end;
  friend bool operator==(const Range&, const Range&) = default;
};

class Weights {
 public:
  // Initial values are a function of `seed` and the order of the calls of add_*, the same on every
  // device.
  Weights(at::Device device, std::int64_t seed) : device_(device), seed_(seed) {}

  // Adds float weights. A tensor handed out stays valid: allocate() moves its data.
  // Glorot uniform (Keras' default): uniform in ±sqrt(6 / (fan_in + fan_out)).
  at::Tensor add_glorot(const std::string& name, at::IntArrayRef shape, std::int64_t fan_in,
                        std::int64_t fan_out);
  // He uniform: uniform in ±sqrt(6 / fan_in), for layers that ReLU follows (He et al. 2015).
  at::Tensor add_he(const std::string& name, at::IntArrayRef shape, std::int64_t fan_in);
  at::Tensor add_zeros(const std::string& name, at::IntArrayRef shape);
  at::Tensor add_ones(const std::string& name, at::IntArrayRef shape);
  // A float tensor that begins filled with `value` and isn't trained; it doesn't count.
  at::Tensor add_buffer(const std::string& name, at::IntArrayRef shape, double value);

  // Puts all weights into the flat buffer. Call it once, after the last add_*.
  void allocate(bool autograd);

  std::int64_t count() const { return count_; }                       // trainable parameters
  const at::Tensor& flat() const { return flat_; }                    // float [count]
  const at::Tensor& flat_gradient() const { return flat_gradient_; }  // float [count]
  // Where the matrices and filters lie, in order: all weights of two or more dimensions, so neither
  // biases nor the scales of a normalisation.
  std::vector<Range> matrices() const;
  // The flat buffer of weights, then that of buffers where there are any: all that a trained model
  // is. Writing into them restores it.
  std::vector<at::Tensor> state() const;
  // The gradient of the weight named so, shaped as it is. Throws std::out_of_range.
  at::Tensor gradient(const std::string& name) const;
  at::Tensor operator[](const std::string& name) const;  // a weight or a buffer

 private:
  struct Entry {
    std::string name;
    at::Tensor tensor;
    std::int64_t offset;
  };
  using Entries = std::vector<Entry>;
  static const Entry* find(const Entries& entries, const std::string& name);
  static void move_into(const at::Tensor& flat, Entries& entries);
  at::Tensor add(const std::string& name, at::Tensor values);
  at::Tensor add_uniform(const std::string& name, at::IntArrayRef shape, double limit);

  at::Device device_;
  std::int64_t seed_;
  std::int64_t count_ = 0, buffer_count_ = 0;
  Entries entries_, buffers_;
  at::Tensor flat_, flat_gradient_, flat_buffers_;
};

}  // namespace windrow::worker
