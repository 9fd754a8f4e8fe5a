// The order in which shards are added up.
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/threads_gang.h"
#include "worker/gang/shard_sum.h"

namespace windrow::worker {
namespace {

using testing::ElementsAre;

TEST(PartOf, CutsIntoContiguousPartsOfNearlyEqualSize) {
  std::int64_t end = 0;
  for (std::int64_t part = 0; part < 7; ++part) {
    const Range range = part_of(40, 7, part);
    EXPECT_EQ(range.begin, end);
    EXPECT_GE(range.size(), 5);
    EXPECT_LE(range.size(), 6);
    end = range.end;
  }
  EXPECT_EQ(end, 40);
  EXPECT_EQ(part_of(2, 4, 0).size() + part_of(2, 4, 1).size(), 1) << "some are empty";
}

TEST(BlocksOf, AreAlignedPowersOfTwo) {
  EXPECT_THAT(blocks_of({0, 4}), ElementsAre(Range{0, 4}));
  EXPECT_THAT(blocks_of({0, 7}), ElementsAre(Range{0, 4}, Range{4, 6}, Range{6, 7}));
  EXPECT_THAT(blocks_of({3, 8}), ElementsAre(Range{3, 4}, Range{4, 8}));
  EXPECT_THAT(blocks_of({1, 3}), ElementsAre(Range{1, 2}, Range{2, 3}));
}

// Pairs of pairs, what is left over from the right.
at::Tensor by_definition(const std::vector<at::Tensor>& v, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return v[begin];
  std::size_t half = 1;
  while (2 * half < end - begin) half *= 2;
  return by_definition(v, begin, begin + half) + by_definition(v, begin + half, end);
}

TEST(ShardSum, IsTheSameForEveryNumberOfMembers) {
  constexpr std::int64_t kCount = 1237;  // no multiple of any number of members
  for (const int shards : {1, 2, 3, 4, 7, 8}) {
    std::vector<at::Tensor> vectors;
    for (int i = 0; i < shards; ++i)
      vectors.push_back(at::randn({kCount}) * std::pow(10, i % 3));  // so that the order matters
    const at::Tensor expected = by_definition(vectors, 0, vectors.size());
    for (int members = 1; members <= std::min(shards, 4); ++members)
      test::in_gang(members, [&](Gang& gang) {
        const at::Tensor vector = at::zeros({kCount});
        ShardSum sum(vector, shards);
        for (int step = 0; step < 2; ++step) {  // buffers are used again
          const Range own = sum.shards_of(gang, gang.rank());
          for (std::int64_t shard = own.begin; shard < own.end; ++shard) {
            vector.copy_(vectors[static_cast<std::size_t>(shard)]);
            sum.add(gang, shard);
          }
          sum.finish(gang);
          EXPECT_TRUE(vector.equal(expected))
              << shards << " shards, " << members << " members, step " << step;
        }
      });
  }
}

}  // namespace
}  // namespace windrow::worker
