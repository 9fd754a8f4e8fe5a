// A model's weights: named tensors that lie one after the other in one flat buffer, their gradients
// in another. Optimizers, checkpoints and (later) the all-reduce of a gang each handle one buffer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

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
  at::Tensor add_zeros(const std::string& name, at::IntArrayRef shape);

  // Puts all weights into the flat buffer. Call it once, after the last add_*.
  void allocate(bool autograd);

  std::int64_t count() const { return count_; }                       // trainable parameters
  const at::Tensor& flat() const { return flat_; }                    // float [count]
  const at::Tensor& flat_gradient() const { return flat_gradient_; }  // float [count]
  // The gradient of the weight named so, shaped as it is. Throws std::out_of_range.
  at::Tensor gradient(const std::string& name) const;
  at::Tensor operator[](const std::string& name) const;

 private:
  struct Entry {
    std::string name;
    at::Tensor tensor;
    std::int64_t offset;
  };
  const Entry& find(const std::string& name) const;
  at::Tensor add(const std::string& name, at::Tensor values);

  at::Device device_;
  std::int64_t seed_;
  std::int64_t count_ = 0;
  std::vector<Entry> entries_;
  at::Tensor flat_, flat_gradient_;
};

}  // namespace windrow::worker
