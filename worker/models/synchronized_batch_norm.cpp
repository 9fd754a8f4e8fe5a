#include "worker/models/synchronized_batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace windrow::worker {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor by_channel(const at::Tensor& values) {
  return values.view({1, -1, 1, 1});
}

// Over images and pixels, each channel: double [c].
at::Tensor sum_of(const at::Tensor& x) {
  return x.sum({0, 2, 3}, /*keepdim=*/false, at::kDouble);
}

// row(own shard, its images) is double [k, c]: those of all shards, [shards, k, c]. Each place has
// one member's number, so their sum is exact.
template <class Row>
at::Tensor rows_of_all(const ShardsTogether& together, std::int64_t k, const at::Tensor& x,
                       const Row& row) {
  const at::Tensor rows =
      at::zeros({together.shards, k, x.size(1)}, x.options().dtype(at::kDouble));
  for (std::size_t i = 0; i < together.count(); ++i)
    rows.select(0, together.own.begin + static_cast<std::int64_t>(i))
        .copy_(row(i, together.images[i]));
  together.gang.sum(rows);
  return rows;
}

struct Moments {
  at::Tensor mean, variance;  // double [c], the variance biased
  double pixels = 0;          // of a channel, over the batch
};

Moments moments_of(const at::Tensor& x, const ShardsTogether& together) {
  const double area = static_cast<double>(x.size(2) * x.size(3));
  const at::Tensor rows = rows_of_all(together, 3, x, [&](std::size_t, const Range& images) {
    const at::Tensor part = x.narrow(0, images.begin, images.size());
    const double n = static_cast<double>(images.size()) * area;
    const at::Tensor mean = sum_of(part) / n;
    const at::Tensor distance = part - by_channel(mean.to(at::kFloat));
    // About the rounded mean: the difference to the mean itself comes off again.
    const at::Tensor offset = sum_of(distance) / n;
    const at::Tensor squares = sum_of(distance.square()) - n * offset.square();
    return at::stack({at::zeros_like(mean) + n, mean, squares});
  });
  at::Tensor n = rows[0][0], mean = rows[0][1], squares = rows[0][2];
  for (std::int64_t shard = 1; shard < together.shards; ++shard) {
    const at::Tensor m = rows[shard][0], difference = rows[shard][1] - mean, total = n + m;
    squares = squares + rows[shard][2] + difference.square() * n * m / total;
    mean = mean + difference * m / total;
    n = total;
  }
  return {mean, (squares / n).clamp_min(0), static_cast<double>(together.batch) * area};
}

struct SynchronizedNorm : Function<SynchronizedNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const std::optional<at::Tensor>& residual, const BatchNorm& norm,
                            bool relu, const ShardsTogether& together) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const Moments moments = moments_of(x, together);
    const at::Tensor inverse = (moments.variance + norm.epsilon).rsqrt();
    if (together.own.begin == 0) {
      norm.mean.batch.copy_(moments.mean);
      norm.variance.batch.copy_(moments.variance * moments.pixels /
                                std::max(1.0, moments.pixels - 1));
    }
    const at::Tensor scale = inverse * norm.weight.detach().to(at::kDouble);
    const at::Tensor shift = norm.bias.detach().to(at::kDouble) - moments.mean * scale;
    at::Tensor y = x * by_channel(scale.to(at::kFloat)) + by_channel(shift.to(at::kFloat));
    if (residual && residual->defined()) y = y + *residual;
    if (relu) y = at::relu(y);
    context->save_for_backward({x, relu ? y : at::Tensor(), moments.mean, inverse, scale});
    context->saved_data["pixels"] = moments.pixels;
    context->saved_data["relu"] = relu;
    context->saved_data["residual"] = residual && residual->defined();
    context->saved_data["norm"] = reinterpret_cast<std::int64_t>(&norm);
    context->saved_data["together"] = reinterpret_cast<std::int64_t>(&together);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &y = saved[1], &mean = saved[2], &inverse = saved[3];
    const at::Tensor& scale = saved[4];
    // Both outlive the pass.
    const auto& norm = *reinterpret_cast<const BatchNorm*>(context->saved_data["norm"].toInt());
    const auto& together =
        *reinterpret_cast<const ShardsTogether*>(context->saved_data["together"].toInt());
    at::Tensor g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    if (context->saved_data["relu"].toBool()) g = g * y.gt(0);
    const at::Tensor normal =
        (x - by_channel(mean.to(at::kFloat))) * by_channel(inverse.to(at::kFloat));
    const at::Tensor rows = rows_of_all(together, 2, x, [&](std::size_t lane, const Range& images) {
      const at::Tensor part = g.narrow(0, images.begin, images.size());
      const at::Tensor sum = sum_of(part);
      const at::Tensor product = sum_of(part * normal.narrow(0, images.begin, images.size()));
      together.weights.lane_gradient(norm.bias, lane).copy_(sum);
      together.weights.lane_gradient(norm.weight, lane).copy_(product);
      return at::stack({sum, product});
    });
    at::Tensor sums = rows[0];
    for (std::int64_t shard = 1; shard < together.shards; ++shard) sums = sums + rows[shard];
    const at::Tensor means = (sums / context->saved_data["pixels"].toDouble()).to(at::kFloat);
    const at::Tensor x_gradient = by_channel(scale.to(at::kFloat)) *
                                  (g - by_channel(means[0]) - normal * by_channel(means[1]));
    return {x_gradient, context->saved_data["residual"].toBool() ? g : at::Tensor(), {}, {}, {}};
  }
};

}  // namespace

at::Tensor synchronized_batch_norm(const at::Tensor& x, const BatchNorm& norm, Finish finish,
                                   const at::Tensor& residual, const ShardsTogether& together) {
  return SynchronizedNorm::apply(x, std::optional(residual), norm, finish == Finish::relu,
                                 together);
}

}  // namespace windrow::worker
