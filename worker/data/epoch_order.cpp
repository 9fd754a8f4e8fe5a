#include "worker/data/epoch_order.h"

#include <ATen/ops/from_blob.h>

#include "worker/randomness.h"

namespace windrow::worker {

at::Tensor epoch_order(std::int64_t seed, int epoch, std::int64_t examples, std::int64_t count,
                       at::Device device) {
  std::vector<std::int64_t> order =
      random_order(RandomStream(seed, epoch, Purpose::data_order), examples, count);
  const at::Tensor view =
      at::from_blob(order.data(), {static_cast<std::int64_t>(order.size())}, at::kLong);
  return view.to(device, at::kLong, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace windrow::worker
