#include "worker/models/weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

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

at::Tensor Weights::add_ones(const std::string& name, at::IntArrayRef shape) {
  return add(name, at::ones(shape, at::kFloat));
}

at::Tensor Weights::add_uniform(const std::string& name, at::IntArrayRef shape, double limit) {
  const RandomStream stream(seed_, 0, Purpose::initial_weights, entries_.size());
  at::Tensor values = at::empty(shape, at::kFloat);
  float* data = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i)
    data[i] = static_cast<float>(limit * (2 * stream.uniform(static_cast<std::uint64_t>(i)) - 1));
  return add(name, values);
}

at::Tensor Weights::add_glorot(const std::string& name, at::IntArrayRef shape, std::int64_t fan_in,
                               std::int64_t fan_out) {
  return add_uniform(name, shape, std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

Weights::Statistic Weights::add_statistic(const std::string& name, at::IntArrayRef shape,
                                          double value) {
  const auto options = at::TensorOptions(at::kFloat).device(device_);
  Statistic statistic{at::full(shape, value, options), at::zeros(shape, options)};
  running_.push_back({name, statistic.running, statistics_count_});
  batch_.push_back({name, statistic.batch, statistics_count_});
  statistics_count_ += statistic.running.numel();
  return statistic;
}

void Weights::move_into(const at::Tensor& flat, Entries& entries) {
  for (Entry& entry : entries) {
    at::Tensor view = flat.narrow(0, entry.offset, entry.tensor.numel()).view_as(entry.tensor);
    view.copy_(entry.tensor);
    entry.tensor.set_data(view);
  }
}

void Weights::allocate(bool autograd, std::int64_t lanes) {
  const auto options = at::TensorOptions(at::kFloat).device(device_);
  flat_ = at::empty({count_}, options);
  flat_running_ = at::empty({statistics_count_}, options);
  pass_results_ = at::zeros({count_ + statistics_count_}, options);
  flat_gradient_ = pass_results_.narrow(0, 0, count_);
  batch_statistics_ = pass_results_.narrow(0, count_, statistics_count_);
  move_into(flat_, entries_);
  move_into(flat_running_, running_);
  move_into(batch_statistics_, batch_);
  if (!autograd) return;
  for (Entry& entry : entries_) {
    entry.tensor.set_requires_grad(true);
    entry.tensor.mutable_grad() = gradient(entry.name);
  }
  for (std::int64_t i = 1; i < lanes; ++i) {
    Lane& lane = lanes_.emplace_back();
    lane.results = at::zeros_like(pass_results_);
    for (const Entry& entry : entries_) {
      const at::Tensor& leaf =
          lane.leaves.emplace_back(entry.tensor.detach().set_requires_grad(true));
      leaf.mutable_grad() =
          lane.results.narrow(0, entry.offset, entry.tensor.numel()).view_as(entry.tensor);
    }
  }
}

const Weights::Entry& Weights::entry_of(const at::Tensor& weight) const {
  for (const Entry& entry : entries_)
    if (entry.tensor.is_same(weight)) return entry;
  throw std::out_of_range("the model has no such weight");
}

at::Tensor Weights::in_lane(const at::Tensor& weight, std::size_t lane) const {
  if (lane == 0) return weight;
  return lanes_.at(lane - 1).leaves[static_cast<std::size_t>(&entry_of(weight) - &entries_[0])];
}

const at::Tensor& Weights::lane_results(std::size_t lane) const {
  return lane == 0 ? pass_results_ : lanes_.at(lane - 1).results;
}

at::Tensor Weights::lane_gradient(const at::Tensor& weight, std::size_t lane) const {
  const Entry& entry = entry_of(weight);
  return lane_results(lane).narrow(0, entry.offset, weight.numel()).view_as(weight);
}

std::vector<Range> Weights::matrices() const {
  std::vector<Range> ranges;
  for (const Entry& entry : entries_) {
    if (entry.tensor.dim() < 2) continue;
    const Range range{entry.offset, entry.offset + entry.tensor.numel()};
    if (!ranges.empty() && ranges.back().end == range.begin)
      ranges.back().end = range.end;
    else
      ranges.push_back(range);
  }
  return ranges;
}

std::vector<at::Tensor> Weights::state() const {
  if (running_.empty()) return {flat_};
  return {flat_, flat_running_};
}

std::vector<Weights::Place> Weights::layout() const {
  std::vector<Place> places;
  for (const Entry& entry : entries_)
    places.push_back({entry.name, entry.tensor.sizes().vec(), 0, entry.offset});
  for (const Entry& entry : running_)
    places.push_back({entry.name, entry.tensor.sizes().vec(), 1, entry.offset});
  return places;
}

void Weights::follow_statistics(double share) const {
  if (running_.empty()) return;
  flat_running_.mul_(1 - share).add_(batch_statistics_, share);
}

const Weights::Entry* Weights::find(const Entries& entries, const std::string& name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

at::Tensor Weights::gradient(const std::string& name) const {
  const Entry* entry = find(entries_, name);
  if (!entry) throw std::out_of_range("the model has no weight named " + name);
  return flat_gradient_.narrow(0, entry->offset, entry->tensor.numel()).view_as(entry->tensor);
}

at::Tensor Weights::operator[](const std::string& name) const {
  for (const Entries* entries : {&entries_, &running_})
    if (const Entry* entry = find(*entries, name)) return entry->tensor;
  throw std::out_of_range("the model has no weight or statistic named " + name);
}

}  // namespace windrow::worker
