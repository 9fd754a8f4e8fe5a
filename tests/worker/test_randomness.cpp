#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "worker/models/dropout.h"
#include "worker/models/weights.h"
#include "worker/randomness.h"

namespace windrow::worker {
namespace {

RandomStream order_of(std::int64_t seed, int epoch) {
  return {seed, epoch, Purpose::data_order};
}

TEST(RandomOrder, IsAPermutationThatChangesWithSeedAndEpoch) {
  const auto order = random_order(order_of(0, 1), 1000, 1000);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_NE(order, all);
  EXPECT_EQ(order, random_order(order_of(0, 1), 1000, 1000));
  EXPECT_NE(order, random_order(order_of(0, 2), 1000, 1000));
  EXPECT_NE(order, random_order(order_of(1, 1), 1000, 1000));
}

TEST(RandomOrder, APartOfAnEpochIsTheWholesBeginning) {
  const auto whole = random_order(order_of(0, 1), 1000, 1000);
  const auto part = random_order(order_of(0, 1), 1000, 70);
  EXPECT_EQ(part, std::vector<std::int64_t>(whole.begin(), whole.begin() + 70));
  EXPECT_EQ(random_order(order_of(0, 1), 5, 9).size(), 5u);
}

TEST(RandomOrder, EveryPlaceIsEquallyLikely) {
  std::vector<int> first(10);
  for (int epoch = 1; epoch <= 20000; ++epoch)
    ++first[static_cast<std::size_t>(random_order(order_of(0, epoch), 10, 1)[0])];
  for (const int count : first) EXPECT_NEAR(count, 2000, 200);
}

TEST(RandomStream, PurposesAndIndicesAreApart) {
  const RandomStream a(0, 1, Purpose::dropout, 0);
  EXPECT_NE(a.bits(0), RandomStream(0, 1, Purpose::dropout, 1).bits(0));
  EXPECT_NE(a.bits(0), RandomStream(0, 1, Purpose::data_order, 0).bits(0));
  EXPECT_NE(a.bits(0), a.bits(1));
  double sum = 0;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    ASSERT_GE(a.uniform(i), 0);
    ASSERT_LT(a.uniform(i), 1);
    sum += a.uniform(i);
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(Dropout, DropsTheRateAndScalesTheRest) {
  const at::Tensor x = at::ones({100001});
  const at::Tensor y = dropout(x, 0.25, RandomStream(0, 1, Purpose::dropout));
  EXPECT_NEAR(y.eq(0).sum().item<double>() / 100001, 0.25, 0.005);
  EXPECT_NEAR(y.max().item<double>(), 1 / 0.75, 1e-6);
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.01);
  EXPECT_TRUE(dropout(x, 0, RandomStream(0, 1, Purpose::dropout)).equal(x));
}

TEST(Dropout, MasksDependOnTheStreamAndNotOnThreads) {
  const at::Tensor x = at::ones({50001});
  const RandomStream stream(0, 1, Purpose::dropout);
  const at::Tensor alone = dropout(x, 0.5, stream);
  at::set_num_threads(2);
  const at::Tensor together = dropout(x, 0.5, stream);
  at::set_num_threads(1);
  EXPECT_TRUE(alone.equal(together));
  EXPECT_FALSE(alone.equal(dropout(x, 0.5, RandomStream(0, 2, Purpose::dropout))));
}

TEST(Dropout, GradientsPassWhereValuesDo) {
  at::Tensor x = at::ones({100}).set_requires_grad(true);
  const at::Tensor y = dropout(x, 0.5, RandomStream(0, 1, Purpose::dropout));
  y.sum().backward();
  EXPECT_TRUE(x.grad().equal(y.detach()));
}

TEST(Weights, BeginGlorotUniformByTheSeed) {
  const auto make = [](std::int64_t seed) {
    Weights weights(at::kCPU, seed);
    weights.add_glorot("a", {100, 200}, 100, 200);
    weights.add_glorot("b", {100, 200}, 100, 200);
    weights.add_zeros("c", {10});
    weights.allocate(/*autograd=*/true);
    return weights;
  };
  const Weights weights = make(1);
  const double limit = std::sqrt(6.0 / 300);
  EXPECT_LE(weights["a"].abs().max().item<double>(), limit);
  EXPECT_GT(weights["a"].abs().max().item<double>(), 0.99 * limit);
  EXPECT_NEAR(weights["a"].mean().item<double>(), 0, 0.02 * limit);
  EXPECT_FALSE(weights["a"].equal(weights["b"]));
  EXPECT_TRUE(weights["c"].eq(0).all().item<bool>());
  EXPECT_TRUE(weights.flat().equal(make(1).flat()));
  EXPECT_FALSE(weights.flat().equal(make(2).flat()));
}

TEST(Weights, TensorsAndGradientsAreViewsOfTheFlatBuffers) {
  Weights weights(at::kCPU, 0);
  const at::Tensor a = weights.add_glorot("a", {2, 3}, 2, 3);
  const at::Tensor b = weights.add_zeros("b", {4});
  weights.allocate(/*autograd=*/true);
  EXPECT_EQ(weights.count(), 10);
  weights.flat().fill_(2);
  EXPECT_TRUE(a.eq(2).all().item<bool>());
  (a.sum() * 3 + b.sum()).backward();
  EXPECT_EQ(weights.flat_gradient().sum().item<double>(), 22);
  EXPECT_EQ(weights.gradient("a").sum().item<double>(), 18);
  EXPECT_THROW(weights["nothing"], std::out_of_range);
}

// What runs on a GPU, and a shard: the mask is the batch's, bit for bit.
TEST(Dropout, ByOperatorsAndInShardsIsTheSame) {
  const RandomStream stream(3, 2, Purpose::dropout, 5);
  for (const bool channels_last : {false, true}) {
    at::Tensor x = at::randn({7, 6, 5, 4});
    if (channels_last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    x = x.detach().set_requires_grad(true);
    const at::Tensor whole = dropout(x, 0.3, stream);
    EXPECT_TRUE(whole.equal(dropout_by_operators(x, 0.3, stream)));
    const at::Tensor weights = at::randn(x.sizes());
    (whole * weights).sum().backward();
    const at::Tensor gradient = x.grad().clone();
    x.mutable_grad().zero_();
    (dropout_by_operators(x, 0.3, stream) * weights).sum().backward();
    EXPECT_TRUE(gradient.equal(x.grad()));
    for (const auto& f : {dropout, dropout_by_operators})
      EXPECT_TRUE(f(x.narrow(0, 3, 4), 0.3, stream, 3).equal(whole.narrow(0, 3, 4)));
  }
}

}  // namespace
}  // namespace windrow::worker
