// Layers of weights that image models share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "worker/cpu/ops/batch_norm.h"
#include "worker/models/image_model.h"
#include "worker/models/weights.h"

namespace windrow::worker {

// A convolution without bias, followed by batch normalisation, which has one.
// The filters begin He uniform.
struct ConvNorm {
  at::Tensor weight;  // float [out, in, size, size]
  BatchNorm norm;
  std::int64_t stride = 1;

  // 'Same' padding: x [n, in, h, w] to [n, out, ceil(h / stride), ceil(w /
  // stride)]; `residual`, if defined, is of the output's shape and added before
  // the ReLU.
  at::Tensor forward(const at::Tensor& x, const Pass& pass, Finish finish,
                     const at::Tensor& residual = {}) const;
};

// Adds NAME.weight, NAME.norm.weight and NAME.norm.bias: out in size² + 2 out
// parameters. `size` is odd.
ConvNorm add_conv_norm(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out,
                       std::int64_t size, std::int64_t stride = 1);

// A fully connected layer: Glorot uniform, bias 0.
struct Linear {
  at::Tensor weight, bias;  // float [out, in], [out]

  at::Tensor forward(const at::Tensor& x, const Pass& pass) const;  // [n, in] to [n, out]
};

Linear add_linear(Weights& weights, const std::string& name, std::int64_t in, std::int64_t out);

}  // namespace windrow::worker
