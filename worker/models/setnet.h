// setnet: a permutation-equivariant network on sets (study P3; Zaheer et al. 2017, Deep Sets).
//
// x of shape [sets, items, features] goes through `depth` layers
//   y = x Λ + pool(x) Γ + bias
// where pool is over the items and broadcast back; `width` outputs per item and ReLU in all layers
// but the last, which has one output per item. Weights lie layer by layer: Λ [in, out], Γ [in,
// out], bias [out]; Λ and Γ begin Glorot uniform with fan_in = in and fan_out = out, biases at 0.
//
// The gradients are derived by hand: no autograd graph is built in a step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "worker/data/choice_sets.h"
#include "worker/models/weights.h"

namespace windrow::worker {

enum class Pool { mean, sum, max };
Pool pool_from_name(const std::string& name);  // throws TrainerError{spec}

struct SetnetShape {
  std::int64_t items = 5;
  std::int64_t features = 3;
  std::int64_t depth = 3;
  std::int64_t width = 100;
  Pool pool = Pool::mean;

  std::int64_t in(std::int64_t layer) const { return layer == 0 ? features : width; }
  std::int64_t out(std::int64_t layer) const { return layer == depth - 1 ? 1 : width; }
};

class Setnet {
 public:
  virtual ~Setnet() = default;

  // Overwrites the gradient with what the sets of `data` at the indices `part` (int64 [n], on the
  // model's device) have in that of the mean squared error against the one-hot choices over a batch
  // of `batch` sets, and adds their squared error to sum number `shard`.
  virtual void gradient(const ChoiceSets& data, const at::Tensor& part, std::int64_t batch,
                        std::int64_t shard) = 0;
  void gradient(const ChoiceSets& data, const at::Tensor& batch) {
    gradient(data, batch, batch.numel(), 0);
  }

  // Adds the squared error of sets begin .. end-1 without touching the gradient.
  virtual void evaluate(const ChoiceSets& data, std::int64_t begin, std::int64_t end,
                        std::int64_t shard = 0) = 0;

  // The sums of squared errors (over sets and items) since the last call, a shard each: double
  // [shards], on the CPU. Waits for the device.
  virtual at::Tensor take_squared_errors() = 0;
  double take_squared_error() { return take_squared_errors().sum().item<double>(); }

  // The network's outputs [sets, items] for x [sets, items, features].
  virtual at::Tensor outputs(const at::Tensor& x) = 0;
};

// Adds the network's weights and allocates them.
void add_setnet_weights(const SetnetShape& shape, Weights& weights);

// The implementation that suits the device. `weights` must outlive it.
std::unique_ptr<Setnet> make_setnet(const SetnetShape& shape, Weights& weights,
                                    std::int64_t shards = 1);

// By ATen operators, on any device.
std::unique_ptr<Setnet> make_aten_setnet(const SetnetShape& shape, Weights& weights,
                                         std::int64_t shards = 1);

// By loops of our own, on the CPU.
struct Kernels;
std::unique_ptr<Setnet> make_cpu_setnet(const SetnetShape& shape, Weights& weights,
                                        const Kernels& kernels, std::int64_t shards = 1);

}  // namespace windrow::worker
