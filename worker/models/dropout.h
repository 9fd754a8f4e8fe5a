// Dropout (Srivastava et al. 2014), inverted: what is kept is scaled by 1 / (1 - rate).
#pragma once

#include <ATen/core/Tensor.h>

#include "worker/randomness.h"

namespace windrow::worker {

// x with a share `rate` (0 <= rate < 1) of its elements set to 0. The mask is a function of the
// stream and of the device kind: not of the number of threads.
at::Tensor dropout(const at::Tensor& x, double rate, const RandomStream& stream);

}  // namespace windrow::worker
