#include "worker/cpu/ops/batch_norm.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/ops/channels_last.h"

namespace windrow::worker {

BatchNorm add_batch_norm(Weights& weights, const std::string& name, std::int64_t channels) {
  return {.weight = weights.add_ones(name + ".weight", {channels}),
          .bias = weights.add_zeros(name + ".bias", {channels}),
          .mean = weights.add_statistic(name + ".running_mean", {channels}, 0),
          .variance = weights.add_statistic(name + ".running_variance", {channels}, 1)};
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

BatchNormPass pass_over(const at::Tensor& x, bool relu) {
  return {.pixels = x.numel() / x.size(1),
          .channels = x.size(1),
          .relu = relu,
          .x = x.const_data_ptr<float>()};
}

// Pixels that one thread passes over at a time: of some 64 KiB. Sums are made in single precision
// within such a chunk, over chunks in double: no result depends on the number of threads.
std::int64_t chunk_pixels(const BatchNormPass& all) {
  return std::max<std::int64_t>(16, 16384 / all.channels);
}

// A chunk of the pixels; pointers that are null stay null.
BatchNormPass chunk_of(const BatchNormPass& all, std::int64_t chunk) {
  BatchNormPass part = all;
  const std::int64_t begin = chunk * chunk_pixels(all);
  part.pixels = std::min(chunk_pixels(all), all.pixels - begin);
  const auto advance = [&](auto& pointer) {
    if (pointer) pointer += begin * all.channels;
  };
  advance(part.x);
  advance(part.residual);
  advance(part.y);
  advance(part.y_gradient);
  advance(part.x_gradient);
  advance(part.residual_gradient);
  return part;
}

template <class Work>
void for_each_chunk(const BatchNormPass& all, const Work& work) {
  const std::int64_t size = chunk_pixels(all), chunks = (all.pixels + size - 1) / size;
  at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) work(chunk, chunk_of(all, chunk));
  });
}

// The kernel's two sums for each channel over all pixels: [sums, product sums].
std::vector<double> sums_over(void (*kernel)(const BatchNormPass&), const BatchNormPass& all) {
  const std::int64_t size = chunk_pixels(all), chunks = (all.pixels + size - 1) / size;
  const std::int64_t values = 2 * all.channels;
  const at::Tensor parts = at::empty({chunks * values}, at::kFloat);
  float* part_sums = parts.mutable_data_ptr<float>();
  for_each_chunk(all, [&](std::int64_t chunk, BatchNormPass part) {
    part.sum = part_sums + chunk * values;
    part.product_sum = part.sum + all.channels;
    kernel(part);
  });
  std::vector<double> sums(static_cast<std::size_t>(values));
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
    for (std::int64_t i = 0; i < values; ++i)
      sums[static_cast<std::size_t>(i)] += static_cast<double>(part_sums[chunk * values + i]);
  return sums;
}

void run(void (*kernel)(const BatchNormPass&), const BatchNormPass& all) {
  for_each_chunk(all, [&](std::int64_t, const BatchNormPass& part) { kernel(part); });
}

// What the passes know of each channel, rows of one tensor that is kept for the gradient.
struct ChannelFacts {
  explicit ChannelFacts(at::Tensor rows) : table(std::move(rows)) {}
  explicit ChannelFacts(std::int64_t channels) : table(at::empty({4, channels}, at::kFloat)) {}
  float* row(std::int64_t i) const { return table.mutable_data_ptr<float>() + i * table.size(1); }
  float* mean() const { return row(0); }
  float* inverse_deviation() const { return row(1); }
  float* scale() const { return row(2); }
  float* shift() const { return row(3); }
  at::Tensor table;
};

void set_channel(const ChannelFacts& facts, const BatchNorm& norm, std::int64_t c, double mean,
                 double variance) {
  const double inverse = 1 / std::sqrt(variance + norm.epsilon);
  const double scale = static_cast<double>(norm.weight.const_data_ptr<float>()[c]) * inverse;
  const double bias = static_cast<double>(norm.bias.const_data_ptr<float>()[c]);
  facts.mean()[c] = static_cast<float>(mean);
  facts.inverse_deviation()[c] = static_cast<float>(inverse);
  facts.scale()[c] = static_cast<float>(scale);
  facts.shift()[c] = static_cast<float>(bias - mean * scale);
}

// Near the mean of each channel: that of some pixels.
at::Tensor near_mean(const at::Tensor& x, std::int64_t pixels) {
  const at::Tensor all = x.permute({0, 2, 3, 1}).flatten(0, 2);
  return all.slice(0, 0, std::nullopt, std::max<std::int64_t>(1, pixels / 16)).mean(0);
}

// The batch's statistics. Sums are of the distance to a value near the mean, so that the difference
// of squares loses no digits.
void set_from_batch(const ChannelFacts& facts, const BatchNorm& norm, const at::Tensor& x) {
  BatchNormPass all = pass_over(x, false);
  const at::Tensor origin = near_mean(x, all.pixels);
  float* batch_mean = norm.mean.batch.mutable_data_ptr<float>();
  float* batch_variance = norm.variance.batch.mutable_data_ptr<float>();
  all.origin = origin.const_data_ptr<float>();
  const std::vector<double> sums = sums_over(best_image_kernels().batch_norm_sums, all);
  const double n = static_cast<double>(all.pixels);
  for (std::int64_t c = 0; c < all.channels; ++c) {
    const double distance = sums[static_cast<std::size_t>(c)] / n;
    const double square = sums[static_cast<std::size_t>(all.channels + c)] / n;
    const double mean = static_cast<double>(all.origin[c]) + distance;
    double variance = square - distance * distance;
    if (variance < 0) variance = 0;  // by rounding; a NaN stays one
    set_channel(facts, norm, c, mean, variance);
    batch_mean[c] = static_cast<float>(mean);
    batch_variance[c] = static_cast<float>(variance * n / std::max(1.0, n - 1));
  }
}

void set_from_running(const ChannelFacts& facts, const BatchNorm& norm) {
  for (std::int64_t c = 0; c < norm.weight.size(0); ++c)
    set_channel(facts, norm, c, static_cast<double>(norm.mean.running.const_data_ptr<float>()[c]),
                static_cast<double>(norm.variance.running.const_data_ptr<float>()[c]));
}

at::Tensor affine(const at::Tensor& x, const ChannelFacts& facts, Finish finish,
                  const at::Tensor& residual) {
  const at::Tensor y = at::empty_like(x, x.options(), kChannelsLast);
  BatchNormPass all = pass_over(x, finish == Finish::relu);
  if (residual.defined()) all.residual = residual.const_data_ptr<float>();
  all.scale = facts.scale();
  all.shift = facts.shift();
  all.y = y.mutable_data_ptr<float>();
  run(best_image_kernels().batch_norm_affine, all);
  return y;
}

// Rows: the gradients of weight and bias, and of_x and of_one of that of x, which is
// scale (g - mean(g) - normal mean(g normal)) with normal = (x - mean) inverse_deviation.
at::Tensor gradient_vectors(const BatchNormPass& all, const ChannelFacts& facts) {
  const std::vector<double> sums = sums_over(best_image_kernels().batch_norm_gradient_sums, all);
  at::Tensor vectors = at::empty({4, all.channels}, at::kFloat);
  float* of_weight = vectors.mutable_data_ptr<float>();
  float* of_bias = of_weight + all.channels;
  float* of_x = of_bias + all.channels;
  float* of_one = of_x + all.channels;
  const double n = static_cast<double>(all.pixels);
  for (std::int64_t c = 0; c < all.channels; ++c) {
    const double sum = sums[static_cast<std::size_t>(c)];
    const double product = sums[static_cast<std::size_t>(all.channels + c)];
    const double inverse = static_cast<double>(facts.inverse_deviation()[c]);
    const double scale = static_cast<double>(facts.scale()[c]);
    const double slope = -scale * inverse * inverse * product / n;
    of_weight[c] = static_cast<float>(product * inverse);
    of_bias[c] = static_cast<float>(sum);
    of_x[c] = static_cast<float>(slope);
    of_one[c] = static_cast<float>(-scale * sum / n - static_cast<double>(facts.mean()[c]) * slope);
  }
  return vectors;
}

struct BatchNormFunction : Function<BatchNormFunction> {
  // Weight and bias are arguments beside `norm`, which holds them, so that autograd sees them. A
  // tensor that may be undefined has to be an optional one.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor&,
                            const at::Tensor&, const std::optional<at::Tensor>& given,
                            const BatchNorm& norm, bool relu) {
    const at::Tensor residual = channels_last(given.value_or(at::Tensor()));
    const at::Tensor x = channels_last(input);
    const ChannelFacts facts(x.size(1));
    set_from_batch(facts, norm, x);
    const at::Tensor y = affine(x, facts, relu ? Finish::relu : Finish::none, residual);
    const bool needs_y = relu && residual.defined();
    context->save_for_backward({x, facts.table, needs_y ? y : at::Tensor()});
    context->saved_data["relu"] = relu;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const ChannelFacts facts(saved[1]);
    const at::Tensor y_gradient = channels_last(gradients[0]);
    const at::Tensor x_gradient = at::empty_like(x, x.options(), kChannelsLast);
    at::Tensor residual_gradient;
    BatchNormPass all = pass_over(x, context->saved_data["relu"].toBool());
    all.scale = facts.scale();
    all.shift = facts.shift();
    all.origin = facts.mean();
    all.y_gradient = y_gradient.const_data_ptr<float>();
    all.x_gradient = x_gradient.mutable_data_ptr<float>();
    if (context->saved_data["residual"].toBool()) {
      residual_gradient = all.relu ? at::empty_like(x, x.options(), kChannelsLast) : y_gradient;
      if (all.relu) {
        all.y = saved[2].mutable_data_ptr<float>();
        all.residual_gradient = residual_gradient.mutable_data_ptr<float>();
      }
    }
    const at::Tensor vectors = gradient_vectors(all, facts);
    all.of_x = vectors[2].const_data_ptr<float>();
    all.of_one = vectors[3].const_data_ptr<float>();
    run(best_image_kernels().batch_norm_gradient, all);
    return {x_gradient, vectors[0], vectors[1], residual_gradient, {}, {}};
  }
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& norm, bool training, Finish finish,
                      const at::Tensor& residual) {
  const bool ours = x.is_cpu() && x.scalar_type() == at::kFloat && x.size(1) % kLanes == 0;
  if (ours && training)
    return BatchNormFunction::apply(x, norm.weight, norm.bias, std::optional(residual), norm,
                                    finish == Finish::relu);
  if (ours && !at::GradMode::is_enabled()) {
    const ChannelFacts facts(x.size(1));
    set_from_running(facts, norm);
    return affine(channels_last(x), facts, finish, channels_last(residual));
  }
  // With a momentum of 1 what is "running" becomes the batch's own.
  at::Tensor y =
      at::batch_norm(x, norm.weight, norm.bias, training ? norm.mean.batch : norm.mean.running,
                     training ? norm.variance.batch : norm.variance.running, training,
                     /*momentum=*/1, norm.epsilon, /*cudnn_enabled=*/true);
  if (residual.defined()) y = y + residual;
  return finish == Finish::relu ? at::relu(y) : y;
}

}  // namespace windrow::worker
