#include "worker/ops/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/relu.h>

namespace windrow::worker {

BatchNorm add_batch_norm(Weights& weights, const std::string& name, std::int64_t channels) {
  return {.weight = weights.add_ones(name + ".weight", {channels}),
          .bias = weights.add_zeros(name + ".bias", {channels}),
          .running_mean = weights.add_buffer(name + ".running_mean", {channels}, 0),
          .running_variance = weights.add_buffer(name + ".running_variance", {channels}, 1)};
}

at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& norm, bool training, Finish finish,
                      const at::Tensor& residual) {
  at::Tensor y = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_variance,
                                training, norm.momentum, norm.epsilon, /*cudnn_enabled=*/true);
  if (residual.defined()) y = y + residual;
  return finish == Finish::relu ? at::relu(y) : y;
}

}  // namespace windrow::worker
