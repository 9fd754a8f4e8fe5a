// Batch normalisation (Ioffe, Szegedy 2015) of images, with what usually follows it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "worker/models/weights.h"

namespace windrow::worker {

struct BatchNorm {
  at::Tensor weight, bias;            // float [c], trainable; begin at 1 and 0
  Weights::Statistic mean, variance;  // float [c]; the running ones begin at 0 and 1
  double epsilon = 1e-5;              // PyTorch's
};

// Adds the weights NAME.weight and NAME.bias, and the statistics NAME.running_mean and
// NAME.running_variance.
BatchNorm add_batch_norm(Weights& weights, const std::string& name, std::int64_t channels);

enum class Finish { none, relu };

// finish((x - mean) / sqrt(variance + epsilon) * weight + bias + residual), per channel: x and
// residual (which may be undefined: none) float [n, c, h, w], channels last in memory.
//
// In training, mean and (biased) variance are the batch's over n, h and w, and become the
// statistics of the batch, the variance unbiased, as PyTorch does. Otherwise they are the running
// ones. Differentiable by autograd with respect to x, weight, bias and residual.
at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& norm, bool training, Finish finish,
                      const at::Tensor& residual = {});

}  // namespace windrow::worker
