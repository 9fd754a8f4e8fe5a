#include "worker/cpu/ops/pooling.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>

#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/ops/channels_last.h"

namespace windrow::worker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

ReluMaxPool arguments(at::IntArrayRef x_sizes, const at::Tensor& choice) {
  return {.x_width = x_sizes[3],
          .x_height = x_sizes[2],
          .channels = x_sizes[1],
          .choice = choice.mutable_data_ptr<std::int8_t>()};
}

void for_all_lines(void (*kernel)(const ReluMaxPool&), const ReluMaxPool& all,
                   std::int64_t images) {
  at::parallel_for(0, images * (all.x_height / 2), 8, [&](std::int64_t begin, std::int64_t end) {
    ReluMaxPool part = all;
    part.first_line = begin;
    part.lines = end - begin;
    kernel(part);
  });
}

struct ReluMaxPoolFunction : Function<ReluMaxPoolFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const at::Tensor x = input.contiguous(kChannelsLast);
    const std::vector<std::int64_t> sizes{x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2};
    const at::Tensor y = at::empty(sizes, x.options(), kChannelsLast);
    const at::Tensor choice = at::empty(sizes, x.options().dtype(at::kChar), kChannelsLast);
    ReluMaxPool all = arguments(x.sizes(), choice);
    all.x = x.const_data_ptr<float>();
    all.y = y.mutable_data_ptr<float>();
    for_all_lines(best_image_kernels().relu_max_pool, all, x.size(0));
    context->save_for_backward({choice});
    context->saved_data["sizes"] = x.sizes();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor gradient = gradients[0].contiguous(kChannelsLast);
    const at::Tensor choice = context->get_saved_variables()[0];
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const at::Tensor x_gradient = at::empty(sizes, gradient.options(), kChannelsLast);
    if (sizes[2] % 2 || sizes[3] % 2) x_gradient.zero_();
    ReluMaxPool all = arguments(sizes, choice);
    all.y_gradient = gradient.const_data_ptr<float>();
    all.x_gradient = x_gradient.mutable_data_ptr<float>();
    for_all_lines(best_image_kernels().relu_max_pool_gradient, all, sizes[0]);
    return {x_gradient};
  }
};

}  // namespace

at::Tensor relu_max_pool2(const at::Tensor& x) {
  if (x.is_cpu() && x.scalar_type() == at::kFloat && x.size(1) % kLanes == 0)
    return ReluMaxPoolFunction::apply(x);
  return at::relu(at::max_pool2d(x, 2));
}

}  // namespace windrow::worker
