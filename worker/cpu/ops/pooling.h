// Pooling, as image models use it.
#pragma once

#include <ATen/core/Tensor.h>

namespace windrow::worker {

// relu(max_pool2d(x, 2)): x float [n, c, h, w], channels last in memory, to [n, c, h/2, w/2] (odd
// last rows and columns are left out). ReLU after the pooling is the same function as before it,
// and a quarter of the work. Differentiable by autograd.
at::Tensor relu_max_pool2(const at::Tensor& x);

}  // namespace windrow::worker
