// Dropout (Srivastava et al. 2014), inverted: what is kept is scaled by 1 / (1 - rate).
#pragma once

#include <ATen/core/Tensor.h>

#include "worker/randomness.h"

namespace windrow::worker {

// x [n, ...] with a share `rate` (0 <= rate < 1) of its elements set to 0: images first_image to
// first_image + n - 1 of the batch that the stream's mask is for. The mask is a function of stream,
// shape and memory order (images in order, channels last in each), the same on every device.
// Differentiable by autograd.
at::Tensor dropout(const at::Tensor& x, double rate, const RandomStream& stream,
                   std::int64_t first_image = 0);

// The same by ATen operators, for any device.
at::Tensor dropout_by_operators(const at::Tensor& x, double rate, const RandomStream& stream,
                                std::int64_t first_image = 0);

}  // namespace windrow::worker
