#include "tests/worker/reference_models.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include <stdexcept>

#include "worker/models/dropout.h"

namespace windrow::worker::test {

ReferenceModel::ReferenceModel(const Parameters& parameters, const Weights& weights)
    : name_(parameters.string("model")),
      dropout_rate_(parameters.number("dropout")),
      weights_(weights) {
  if (name_ == "cnn5x5") return;  // it has no batch normalisation
  norm_momentum_ = parameters.number("batch_norm_momentum");
  norm_epsilon_ = parameters.number("batch_norm_epsilon");
}

at::Tensor ReferenceModel::forward(const at::Tensor& images, const Pass& pass) {
  pass_ = pass;
  if (name_ == "cnn5x5") return cnn5x5(images);
  if (name_ == "cnn3") return cnn3(images);
  if (name_ == "resnet9") return resnet9(images);
  if (name_ == "resnet") return resnet(images);
  throw std::invalid_argument(name_);
}

void ReferenceModel::take_values() {
  const at::NoGradGuard no_gradients;
  for (auto& [name, leaf] : leaves_) leaf.copy_(weights_[name]);
  for (auto& [name, statistic] : statistics_) statistic.copy_(weights_[name]);
}

const at::Tensor& ReferenceModel::leaf(const std::string& name) {
  auto [found, is_new] = leaves_.try_emplace(name);
  if (is_new) found->second = weights_[name].detach().clone().set_requires_grad(true);
  return found->second;
}

const at::Tensor& ReferenceModel::statistic(const std::string& name) {
  auto [found, is_new] = statistics_.try_emplace(name);
  if (is_new) found->second = weights_[name].clone();
  return found->second;
}

at::Tensor ReferenceModel::conv(const std::string& name, const at::Tensor& x, std::int64_t stride) {
  const at::Tensor& filters = leaf(name + ".weight");
  const bool has_bias = name_ == "cnn5x5";
  return at::conv2d(x, filters, has_bias ? leaf(name + ".bias") : at::Tensor(), stride,
                    filters.size(2) / 2);
}

at::Tensor ReferenceModel::conv_norm(const std::string& name, const at::Tensor& x,
                                     std::int64_t stride) {
  const std::string norm = name + ".norm";
  return at::batch_norm(conv(name, x, stride), leaf(norm + ".weight"), leaf(norm + ".bias"),
                        statistic(norm + ".running_mean"), statistic(norm + ".running_variance"),
                        pass_.training, norm_momentum_, norm_epsilon_, /*cudnn_enabled=*/false);
}

at::Tensor ReferenceModel::linear(const std::string& name, const at::Tensor& x) {
  return at::linear(x, leaf(name + ".weight"), leaf(name + ".bias"));
}

// The mask is what the models' own is held to elsewhere (test_ops.cpp).
at::Tensor ReferenceModel::dropped(const at::Tensor& x, std::uint64_t layer) {
  if (!pass_.training || dropout_rate_ == 0) return x;
  return dropout_by_operators(x, dropout_rate_, pass_.dropout_stream(layer));
}

at::Tensor ReferenceModel::cnn5x5(at::Tensor x) {
  for (std::uint64_t i = 0; i < 3; ++i)
    x = dropped(at::max_pool2d(at::relu(conv("conv" + std::to_string(i + 1), x)), 2), i);
  return linear("output", at::relu(linear("hidden", x.flatten(1))));
}

at::Tensor ReferenceModel::cnn3(at::Tensor x) {
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::string block = "block" + std::to_string(i + 1);
    x = at::relu(conv_norm(block + ".conv1", x));
    x = dropped(at::max_pool2d(at::relu(conv_norm(block + ".conv2", x)), 2), i);
  }
  return linear("output", at::relu(linear("hidden", x.flatten(1))));
}

at::Tensor ReferenceModel::residual(const std::string& name, const at::Tensor& x) {
  const at::Tensor first = at::relu(conv_norm(name + ".conv1", x));
  return x + at::relu(conv_norm(name + ".conv2", first));
}

at::Tensor ReferenceModel::resnet9(at::Tensor x) {
  x = at::relu(conv_norm("conv64", x));
  x = at::max_pool2d(at::relu(conv_norm("conv128", x)), 2);
  x = residual("residual128", x);
  x = at::max_pool2d(at::relu(conv_norm("conv256", x)), 2);
  x = at::max_pool2d(at::relu(conv_norm("conv512", x)), 2);
  x = residual("residual512", x);
  return linear("output", dropped(at::max_pool2d(x, 4).flatten(1), 0));
}

// Where a stage begins, the shortcut takes every second pixel and has zeros for the new channels,
// half of them before and half behind.
at::Tensor ReferenceModel::resnet(at::Tensor x) {
  x = at::relu(conv_norm("conv", x));
  std::uint64_t dropout_layer = 0;
  for (const std::int64_t channels : {16, 32, 64}) {
    const auto has_block = [&](const std::string& name) {
      try {
        return weights_[name + ".conv1.weight"].defined();
      } catch (const std::out_of_range&) {
        return false;
      }
    };
    for (int number = 1;; ++number) {
      const std::string name =
          "stage" + std::to_string(channels) + ".block" + std::to_string(number);
      if (!has_block(name)) break;
      const std::int64_t stride = channels > 16 && number == 1 ? 2 : 1;
      at::Tensor shortcut = x;
      if (stride == 2) {
        const at::Tensor pixels = x.slice(2, 0, std::nullopt, 2).slice(3, 0, std::nullopt, 2);
        const at::Tensor none =
            at::zeros({x.size(0), channels / 4, pixels.size(2), pixels.size(3)});
        shortcut = at::cat({none, pixels, none}, 1);
      }
      const at::Tensor first = at::relu(conv_norm(name + ".conv1", x, stride));
      x = at::relu(conv_norm(name + ".conv2", dropped(first, dropout_layer++)) + shortcut);
    }
  }
  return linear("output", x.mean({2, 3}));
}

}  // namespace windrow::worker::test
