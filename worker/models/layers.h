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

// A convolution with stride 1 and 'same' padding.
struct Conv {
  at::Tensor weight, bias;  // float [out, in, size, size], [out]
};

// A fully connected layer.
struct Linear {
  at::Tensor weight, bias;  // float [out, in], [out]

  at::Tensor forward(const at::Tensor& x, const Pass& pass) const;  // [n, in] to [n, out]
};

// Adds a model's layers, which begin as its parameters say (initialization, batch_norm_epsilon).
class LayerMaker {
 public:
  LayerMaker(const Parameters& parameters, Weights& weights);

  // Adds NAME.weight, NAME.norm.weight and NAME.norm.bias: out in size² + 2 out
  // parameters. `size` is odd.
  ConvNorm conv_norm(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t size,
                     std::int64_t stride = 1);
  // Adds NAME.weight and NAME.bias: out in size² + out, and out in + out parameters.
  Conv conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t size);
  Linear linear(const std::string& name, std::int64_t in, std::int64_t out);

 private:
  enum class Begin { own, glorot, he, pytorch };
  double limit(bool normalised, std::int64_t fan_in, std::int64_t fan_out) const;
  at::Tensor bias(const std::string& name, std::int64_t in, std::int64_t out);

  const Parameters& parameters_;
  Weights& weights_;
  Begin begin_;
};

}  // namespace windrow::worker
