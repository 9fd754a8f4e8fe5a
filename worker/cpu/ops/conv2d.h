// 2d convolution with 'same' padding, differentiable by autograd. On the CPU the layers of the
// models here go through kernels of our own (winograd.h, stem_convolution.h), which is where most
// of a training step is; all else, and any other device, is ATen's.
#pragma once

#include <ATen/core/Tensor.h>

namespace windrow::worker {

// x float [n, in, h, w], channels last in memory; weight [out, in, taps, taps], taps odd; bias
// [out] or undefined. To [n, out, ceil(h / stride), ceil(w / stride)], channels last.
at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {},
                  std::int64_t stride = 1);

}  // namespace windrow::worker
