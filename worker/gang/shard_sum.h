// The sum of one vector a shard, in an order that depends on the number of shards alone.
//
// Shards are added in pairs, the pairs in pairs, and so on: a tree whose inner nodes stand for
// aligned blocks of 2, 4, 8, ... shards; what is left over at the end is added from the right. So
// each member of a gang adds up what it has of whole blocks, and what the members send each other
// is one vector a block, not one a shard.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "worker/gang/gang.h"
#include "worker/range.h"

namespace windrow::worker {

// Shards and their sums so far, in order; the vectors of neighbours become one where they are the
// two halves of a block.
struct ShardBlock {
  Range shards;
  at::Tensor sum;
};
bool halves_of_a_block(const Range& first, const Range& second);
// The blocks that shards `range` are added up to before the others come.
std::vector<Range> blocks_of(Range range);

class ShardSum {
 public:
  // `vector` (float, contiguous) is where the vector of each shard comes to lie, and the sum in the
  // end. `shards` is at least 1.
  ShardSum(at::Tensor vector, int shards) : vector_(std::move(vector)), shards_(shards) {}

  // The shards that a member has.
  Range shards_of(const Gang& gang, int member) const {
    return part_of(shards_, gang.size(), member);
  }

  // What lies in `vector` is of `shard`; it may be overwritten afterwards. The member's shards come
  // in order, each once.
  void add(const Gang& gang, std::int64_t shard);

  // After the member's last shard: puts the sum over the shards of all members into `vector`.
  void finish(Gang& gang);

 private:
  void push(ShardBlock block);
  at::Tensor spare();
  void add_up(const at::Tensor& out);
  void exchange(Gang& gang);

  at::Tensor vector_;
  int shards_;
  std::vector<ShardBlock> blocks_;
  std::vector<at::Tensor> spare_;
  at::Tensor sent_, received_, slice_, slices_;
};

}  // namespace windrow::worker
