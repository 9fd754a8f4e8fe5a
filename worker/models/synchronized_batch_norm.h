// Batch normalisation over a batch whose shards several members of a gang have.
#pragma once

#include "worker/cpu/ops/batch_norm.h"
#include "worker/models/shards_together.h"

namespace windrow::worker {

// As batch_norm() in training, over the images of all members' shards. Moments are made a shard at
// a time and merged in the order of the shards (Chan, Golub, LeVeque 1983), so that neither the
// number of members nor which shards they have changes a bit. All members call it, and its
// gradient, in the same order. The gradients of norm's weight and bias go into the lanes; the
// batch's statistics into lane 0 of the member that has the first shard.
at::Tensor synchronized_batch_norm(const at::Tensor& x, const BatchNorm& norm, Finish finish,
                                   const at::Tensor& residual, const ShardsTogether& together);

}  // namespace windrow::worker
