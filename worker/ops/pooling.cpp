#include "worker/ops/pooling.h"

#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

namespace windrow::worker {

at::Tensor relu_max_pool2(const at::Tensor& x) {
  return at::relu(at::max_pool2d(x, 2));
}

}  // namespace windrow::worker
