#include "worker/models/layers.h"

#include <ATen/ops/linear.h>

#include "worker/cpu/ops/conv2d.h"

namespace windrow::worker {

at::Tensor ConvNorm::forward(const at::Tensor& x, bool training, Finish finish,
                             const at::Tensor& residual) const {
  return batch_norm(conv2d(x, weight, /*bias=*/{}, stride), norm, training, finish, residual);
}

ConvNorm add_conv_norm(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out,
                       std::int64_t size, std::int64_t stride) {
  return {.weight = weights.add_he(name + ".weight", {out, in, size, size}, in * size * size),
          .norm = add_batch_norm(weights, name + ".norm", out),
          .stride = stride};
}

at::Tensor Linear::forward(const at::Tensor& x) const {
  return at::linear(x, weight, bias);
}

Linear add_linear(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out) {
  return {.weight = weights.add_glorot(name + ".weight", {out, in}, in, out),
          .bias = weights.add_zeros(name + ".bias", {out})};
}

}  // namespace windrow::worker
