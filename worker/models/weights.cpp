#include "worker/models/weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <stdexcept>

#include "worker/randomness.h"

namespace windrow::worker {

at::Tensor Weights::add(const std::string& name, at::Tensor values) {
  entries_.push_back({name, values.to(device_), count_});
  count_ += values.numel();
  return entries_.back().tensor;
}

at::Tensor Weights::add_zeros(const std::string& name, at::IntArrayRef shape) {
  return add(name, at::zeros(shape, at::kFloat));
}

at::Tensor Weights::add_glorot(const std::string& name, at::IntArrayRef shape, std::int64_t fan_in,
                               std::int64_t fan_out) {
  const RandomStream stream(seed_, 0, Purpose::initial_weights, entries_.size());
  const double limit = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  at::Tensor values = at::empty(shape, at::kFloat);
  float* data = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i)
    data[i] = static_cast<float>(limit * (2 * stream.uniform(static_cast<std::uint64_t>(i)) - 1));
  return add(name, values);
}

void Weights::allocate(bool autograd) {
  const auto options = at::TensorOptions(at::kFloat).device(device_);
  flat_ = at::empty({count_}, options);
  flat_gradient_ = at::zeros({count_}, options);
  for (Entry& entry : entries_) {
    at::Tensor view = flat_.narrow(0, entry.offset, entry.tensor.numel()).view_as(entry.tensor);
    view.copy_(entry.tensor);
    entry.tensor.set_data(view);
    if (!autograd) continue;
    entry.tensor.set_requires_grad(true);
    entry.tensor.mutable_grad() = gradient(entry.name);
  }
}

const Weights::Entry& Weights::find(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry;
  throw std::out_of_range("the model has no weight named " + name);
}

at::Tensor Weights::gradient(const std::string& name) const {
  const Entry& entry = find(name);
  return flat_gradient_.narrow(0, entry.offset, entry.tensor.numel()).view_as(entry.tensor);
}

at::Tensor Weights::operator[](const std::string& name) const {
  return find(name).tensor;
}

}  // namespace windrow::worker
