#include "worker/gang/shard_sum.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <utility>

namespace windrow::worker {

bool halves_of_a_block(const Range& first, const Range& second) {
  return first.end == second.begin && first.size() == second.size() &&
         first.begin % (2 * first.size()) == 0;
}

std::vector<Range> blocks_of(Range range) {
  std::vector<Range> blocks;
  for (std::int64_t shard = range.begin; shard < range.end; ++shard) {
    blocks.push_back({shard, shard + 1});
    while (blocks.size() > 1 && halves_of_a_block(blocks[blocks.size() - 2], blocks.back())) {
      const std::int64_t end = blocks.back().end;
      blocks.pop_back();
      blocks.back().end = end;
    }
  }
  return blocks;
}

at::Tensor ShardSum::spare() {
  if (spare_.empty()) return at::empty_like(vector_);
  at::Tensor tensor = std::move(spare_.back());
  spare_.pop_back();
  return tensor;
}

// Joins halves as they come; sums are made in the vectors of the first halves.
void ShardSum::push(ShardBlock block) {
  while (!blocks_.empty() && halves_of_a_block(blocks_.back().shards, block.shards)) {
    ShardBlock first = std::move(blocks_.back());
    blocks_.pop_back();
    first.sum.add_(block.sum);
    first.shards.end = block.shards.end;
    if (!block.sum.is_same(vector_) && block.sum.numel() == vector_.numel())
      spare_.push_back(block.sum);
    block = std::move(first);
  }
  blocks_.push_back(std::move(block));
}

void ShardSum::add(const Gang& gang, std::int64_t shard) {
  push({{shard, shard + 1}, vector_});
  // The next shard will overwrite it.
  const bool last = shard + 1 == shards_of(gang, gang.rank()).end;
  ShardBlock& top = blocks_.back();
  if (!last && top.sum.is_same(vector_)) top.sum = spare().copy_(vector_);
}

// What is left of blocks, from the right.
void ShardSum::add_up(const at::Tensor& out) {
  while (blocks_.size() > 1) {
    const at::Tensor second = std::move(blocks_.back().sum);
    blocks_.pop_back();
    blocks_.back().sum.add_(second);
    if (!second.is_same(vector_) && second.numel() == vector_.numel()) spare_.push_back(second);
  }
  const at::Tensor sum = std::move(blocks_.back().sum);
  blocks_.clear();
  if (sum.is_same(out)) return;
  out.copy_(sum);
  if (sum.numel() == vector_.numel()) spare_.push_back(sum);
}

void ShardSum::finish(Gang& gang) {
  if (gang.size() == 1)
    add_up(vector_);
  else
    exchange(gang);
}

// Each member adds up one slice of the vector, over the blocks of all members; then all get all
// slices.
void ShardSum::exchange(Gang& gang) {
  const std::int64_t size = gang.size(), count = vector_.numel(),
                     length = (count + size - 1) / size;
  const auto slice_of = [&](const at::Tensor& vector, std::int64_t member) {
    const std::int64_t begin = std::min(count, member * length);
    return vector.narrow(0, begin, std::min(length, count - begin));
  };
  const auto own = static_cast<std::int64_t>(blocks_.size());
  std::vector<Range> theirs;
  std::vector<std::int64_t> receives;
  for (int member = 0; member < size; ++member) {
    const std::vector<Range> blocks = blocks_of(shards_of(gang, member));
    receives.push_back(static_cast<std::int64_t>(blocks.size()));
    theirs.insert(theirs.end(), blocks.begin(), blocks.end());
  }
  const auto rows = static_cast<std::int64_t>(theirs.size());
  if (!sent_.defined() || sent_.size(0) != size * own || sent_.size(1) != length)
    sent_ = at::zeros({size * own, length}, vector_.options());
  if (!received_.defined() || received_.size(0) != rows || received_.size(1) != length)
    received_ = at::empty({rows, length}, vector_.options());
  if (!slices_.defined() || slices_.size(0) != size || slices_.size(1) != length) {
    slice_ = at::empty({length}, vector_.options());
    slices_ = at::empty({size, length}, vector_.options());
  }
  for (std::int64_t member = 0; member < size; ++member)
    for (std::int64_t block = 0; block < own; ++block) {
      const at::Tensor slice = slice_of(blocks_[static_cast<std::size_t>(block)].sum, member);
      sent_.select(0, member * own + block).narrow(0, 0, slice.numel()).copy_(slice);
    }
  for (ShardBlock& block : blocks_)
    if (!block.sum.is_same(vector_)) spare_.push_back(std::move(block.sum));
  blocks_.clear();
  gang.all_to_all(received_, sent_, receives,
                  std::vector<std::int64_t>(static_cast<std::size_t>(size), own));
  for (std::int64_t row = 0; row < rows; ++row)
    push({theirs[static_cast<std::size_t>(row)], received_.select(0, row)});
  add_up(slice_);
  gang.all_gather(slices_, slice_);
  vector_.copy_(slices_.view(-1).narrow(0, 0, count));
}

}  // namespace windrow::worker
