#include "worker/cpu/ops/conv2d.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/sum.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "worker/cpu/ops/channels_last.h"
#include "worker/cpu/ops/stem_convolution.h"
#include "worker/cpu/ops/winograd.h"

namespace windrow::worker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor bias_gradient(const at::Tensor& output_gradient) {
  return output_gradient.permute({0, 2, 3, 1}).flatten(0, 2).sum(0);
}

// A Function takes a tensor that may be undefined as an optional one.
struct WinogradFunction : Function<WinogradFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor images = channels_last(x);
    context->save_for_backward({images, weight});
    context->saved_data["bias"] = bias && bias->defined();
    return winograd_convolution(images, weight.contiguous(), bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor gradient = channels_last(gradients[0]);
    at::Tensor of_x, of_weight, of_bias;
    if (context->needs_input_grad(0))
      of_x = winograd_image_gradient(gradient, saved[1].contiguous());
    if (context->needs_input_grad(1))
      of_weight = winograd_filter_gradient(saved[0], gradient, saved[1].size(2));
    if (context->saved_data["bias"].toBool()) of_bias = bias_gradient(gradient);
    return {of_x, of_weight, of_bias};
  }
};

struct StemFunction : Function<StemFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor images = bordered(channels_last(x), weight.size(2));
    context->save_for_backward({images});
    context->saved_data["bias"] = bias && bias->defined();
    context->saved_data["taps"] = weight.size(2);
    return stem_convolution(images, weight.contiguous(), bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor gradient = channels_last(gradients[0]);
    at::Tensor of_bias;
    if (context->saved_data["bias"].toBool()) of_bias = bias_gradient(gradient);
    return {{},
            stem_filter_gradient(context->get_saved_variables()[0], gradient,
                                 context->saved_data["taps"].toInt()),
            of_bias};
  }
};

}  // namespace

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  std::int64_t stride) {
  if (stride == 1 && winograd_applies(x, weight))
    return WinogradFunction::apply(x, weight, std::optional(bias));
  if (stride == 1 && !x.requires_grad() && stem_convolution_applies(x, weight))
    return StemFunction::apply(x, weight, std::optional(bias));
  return at::conv2d(x, weight, bias, stride, /*padding=*/weight.size(2) / 2);
}

}  // namespace windrow::worker
