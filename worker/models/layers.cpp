#include "worker/models/layers.h"

#include <ATen/ops/linear.h>

#include <cmath>

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

LayerMaker::LayerMaker(const Parameters& parameters, Weights& weights)
    : parameters_(parameters), weights_(weights) {
  const std::string name = parameters.string("initialization");
  begin_ = name == "glorot"    ? Begin::glorot
           : name == "he"      ? Begin::he
           : name == "pytorch" ? Begin::pytorch
                               : Begin::own;
}

// Glorot, Bengio 2010; He et al. 2015; PyTorch's is He's for a leaky ReLU of slope √5.
double LayerMaker::limit(bool normalised, std::int64_t fan_in, std::int64_t fan_out) const {
  const auto in = static_cast<double>(fan_in), out = static_cast<double>(fan_out);
  if (begin_ == Begin::pytorch) return std::sqrt(1 / in);
  const bool he = begin_ == Begin::he || (begin_ == Begin::own && normalised);
  return std::sqrt(6 / (he ? in : in + out));
}

// `in`: the inputs of each output.
at::Tensor LayerMaker::bias(const std::string& name, std::int64_t in, std::int64_t out) {
  if (begin_ != Begin::pytorch) return weights_.add_zeros(name, {out});
  return weights_.add_uniform(name, {out}, limit(/*normalised=*/false, in, out));
}

ConvNorm LayerMaker::conv_norm(const std::string& name, std::int64_t in, std::int64_t out,
                               std::int64_t size, std::int64_t stride) {
  const std::int64_t area = size * size;
  ConvNorm layer{.weight = weights_.add_uniform(name + ".weight", {out, in, size, size},
                                                limit(/*normalised=*/true, in * area, out * area)),
                 .norm = add_batch_norm(weights_, name + ".norm", out),
                 .stride = stride};
  layer.norm.epsilon = parameters_.number("batch_norm_epsilon");
  return layer;
}

Conv LayerMaker::conv(const std::string& name, std::int64_t in, std::int64_t out,
                      std::int64_t size) {
  const std::int64_t area = size * size;
  return {.weight = weights_.add_uniform(name + ".weight", {out, in, size, size},
                                         limit(/*normalised=*/false, in * area, out * area)),
          .bias = bias(name + ".bias", in * area, out)};
}

Linear LayerMaker::linear(const std::string& name, std::int64_t in, std::int64_t out) {
  return {.weight = weights_.add_uniform(name + ".weight", {out, in},
                                         limit(/*normalised=*/false, in, out)),
          .bias = bias(name + ".bias", in, out)};
}

at::Tensor Linear::forward(const at::Tensor& x, const Pass& pass) const {
  return shard_by_shard(x, pass.together, [&](const at::Tensor& part, std::size_t lane) {
    return at::linear(part, in_lane(weight, lane, pass), in_lane(bias, lane, pass));
  });
}

}  // namespace windrow::worker
