#include "worker/models/layers.h"

#include <ATen/ops/linear.h>

#include "worker/cpu/ops/conv2d.h"
#include "worker/models/shards_together.h"
#include "worker/models/synchronized_batch_norm.h"

namespace windrow::worker {

namespace {

at::Tensor in_lane(const at::Tensor& weight, std::size_t lane, const Pass& pass) {
  return pass.together ? pass.together->weights.in_lane(weight, lane) : weight;
}

}  // namespace

at::Tensor ConvNorm::forward(const at::Tensor& x, const Pass& pass, Finish finish,
                             const at::Tensor& residual) const {
  const at::Tensor y =
      shard_by_shard(x, pass.together, [&](const at::Tensor& part, std::size_t lane) {
        return conv2d(part, in_lane(weight, lane, pass), /*bias=*/{}, stride);
      });
  if (pass.together) return synchronized_batch_norm(y, norm, finish, residual, *pass.together);
  return batch_norm(y, norm, pass.training, finish, residual);
}

ConvNorm add_conv_norm(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out,
                       std::int64_t size, std::int64_t stride) {
  return {.weight = weights.add_he(name + ".weight", {out, in, size, size}, in * size * size),
          .norm = add_batch_norm(weights, name + ".norm", out),
          .stride = stride};
}

at::Tensor Linear::forward(const at::Tensor& x, const Pass& pass) const {
  return shard_by_shard(x, pass.together, [&](const at::Tensor& part, std::size_t lane) {
    return at::linear(part, in_lane(weight, lane, pass), in_lane(bias, lane, pass));
  });
}

Linear add_linear(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out) {
  return {.weight = weights.add_glorot(name + ".weight", {out, in}, in, out),
          .bias = weights.add_zeros(name + ".bias", {out})};
}

}  // namespace windrow::worker
