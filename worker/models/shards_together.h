// Shards of a batch that go through a model side by side, layer by layer, since batch normalisation
// is to see the whole batch. A member of a gang has some of the batch's shards, one after another
// in its images; the others' have theirs.
#pragma once

#include <ATen/ops/cat.h>

#include <vector>

#include "worker/gang/gang.h"
#include "worker/models/weights.h"
#include "worker/range.h"

namespace windrow::worker {

struct ShardsTogether {
  Gang& gang;
  const Weights& weights;     // with a lane for each of the member's shards
  std::int64_t batch;         // images of all members
  std::int64_t shards;        // of the batch
  Range own;                  // the member's
  std::vector<Range> images;  // of each of its own shards, among the member's images

  std::size_t count() const { return images.size(); }
};

// layer(part of x, lane) for the images of each shard, put together again: what is computed of a
// shard doesn't depend on which others the member has. Without shards, all of x in lane 0.
template <class Layer>
at::Tensor shard_by_shard(const at::Tensor& x, const ShardsTogether* together, const Layer& layer) {
  if (!together) return layer(x, std::size_t{0});
  std::vector<at::Tensor> parts;
  for (std::size_t lane = 0; lane < together->count(); ++lane) {
    const Range& images = together->images[lane];
    parts.push_back(layer(x.narrow(0, images.begin, images.size()), lane));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace windrow::worker
