#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/relu.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/cpu/kernels/kernels.h"
#include "worker/models/setnet.h"

namespace windrow::worker {
namespace {

std::unique_ptr<Weights> weights_of(const SetnetShape& shape) {
  at::manual_seed(1);
  auto weights = std::make_unique<Weights>(at::kCPU, 11);
  add_setnet_weights(shape, *weights);
  // Biases begin at 0; a mistake with them would not show.
  weights->flat().add_(at::randn_like(weights->flat()), 0.05);
  return weights;
}

// The definition, for autograd.
at::Tensor reference_outputs(const SetnetShape& shape, const std::vector<at::Tensor>& w,
                             const at::Tensor& x) {
  at::Tensor h = x;
  for (std::int64_t l = 0; l < shape.depth; ++l) {
    const auto i = static_cast<std::size_t>(3 * l);
    const at::Tensor pooled = shape.pool == Pool::mean  ? h.mean(1, true)
                              : shape.pool == Pool::sum ? h.sum(1, true)
                                                        : std::get<0>(h.max(1, true));
    h = at::matmul(h, w[i]) + at::matmul(pooled, w[i + 1]) + w[i + 2];
    if (l + 1 < shape.depth) h = at::relu(h);
  }
  return h.squeeze(2);
}

std::vector<at::Tensor> leaves_of(const SetnetShape& shape, const Weights& weights) {
  std::vector<at::Tensor> leaves;
  for (std::int64_t l = 1; l <= shape.depth; ++l)
    for (const char* part : {".lambda", ".gamma", ".bias"})
      leaves.push_back(weights["layer" + std::to_string(l) + part].clone().set_requires_grad(true));
  return leaves;
}

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Setnet>(const SetnetShape&, Weights&)> make;
};

std::vector<Implementation> implementations() {
  std::vector<Implementation> all{{"aten", [](const SetnetShape& shape, Weights& weights) {
                                     return make_aten_setnet(shape, weights);
                                   }}};
  for (const Kernels* kernels : available_kernels())
    all.push_back({kernels->name, [kernels](const SetnetShape& shape, Weights& weights) {
                     return make_cpu_setnet(shape, weights, *kernels);
                   }});
  return all;
}

double size_of(const at::Tensor& tensor) {
  return tensor.norm().item<double>();
}

class SetnetGradient : public testing::TestWithParam<std::tuple<Pool, int>> {};

TEST_P(SetnetGradient, IsAutogradsForEveryImplementation) {
  const auto [pool, depth] = GetParam();
  // Widths beside the kernels' tiles of 5 and 2, and more features than are mixed at a time; 37
  // sets don't fill the last vector of 16; 7 items don't fill the tiles of 5 rows.
  // Wide networks, whose last blocks several threads share, and fewer sets than a vector has.
  for (const auto& [width, items, sets] : {std::tuple<int, int, int>{33, 5, 37},
                                           {13, 5, 37},
                                           {5, 7, 37},
                                           {2, 2, 37},
                                           {110, 5, 37},
                                           {110, 5, 9}}) {
    const SetnetShape shape{
        .items = items, .features = 3, .depth = depth, .width = width, .pool = pool};
    const ChoiceSets data = generate_choice_sets(1, ChoicePart::training, 100, items, 3);
    const auto weights = weights_of(shape);
    const at::Tensor batch = at::randperm(100, at::kLong).narrow(0, 0, sets).contiguous();

    const std::vector<at::Tensor> leaves = leaves_of(shape, *weights);
    const at::Tensor target =
        data.choice.index_select(0, batch).unsqueeze(1).eq(at::arange(items)).to(at::kFloat);
    const at::Tensor squares =
        (reference_outputs(shape, leaves, data.x.index_select(0, batch)) - target).square();
    squares.mean().backward();
    double whole_norm = 0;
    for (const at::Tensor& leaf : leaves) whole_norm = std::hypot(whole_norm, size_of(leaf.grad()));

    for (const Implementation& implementation : implementations()) {
      SCOPED_TRACE(implementation.name + ", width " + std::to_string(width));
      const auto model = implementation.make(shape, *weights);
      model->gradient(data, at::arange(100));  // leaves nothing behind
      model->take_squared_error();
      weights->flat_gradient().fill_(99);  // must be overwritten
      model->gradient(data, batch);
      EXPECT_NEAR(model->take_squared_error() / squares.sum().item<double>(), 1, 1e-5);
      EXPECT_EQ(model->take_squared_error(), 0);
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        const std::string name =
            "layer" + std::to_string(i / 3 + 1) + std::array{".lambda", ".gamma", ".bias"}[i % 3];
        // A bias' gradient is a sum that nearly cancels: its scale is that of all gradients.
        const double scale = std::max(size_of(leaves[i].grad()), 0.1 * whole_norm);
        EXPECT_LT(size_of(weights->gradient(name) - leaves[i].grad()) / scale, 1e-5) << name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PoolsAndDepths, SetnetGradient,
                         testing::Combine(testing::Values(Pool::mean, Pool::sum, Pool::max),
                                          testing::Values(1, 2, 3, 5)));

TEST(Setnet, HasTheParametersOfTheReport) {
  const std::vector<std::tuple<int, int, int>> expected{
      {3, 100, 21001}, {3, 200, 82001}, {3, 10, 301}, {2, 10, 91},
      {2, 200, 1801},  {2, 100, 901},   {3, 5, 101},  {5, 2, 49}};
  for (const auto& [depth, width, parameters] : expected) {
    Weights weights(at::kCPU, 0);
    add_setnet_weights({.depth = depth, .width = width}, weights);
    EXPECT_EQ(weights.count(), parameters) << depth << " " << width;
  }
}

TEST(Setnet, PermutingItemsPermutesTheOutputs) {
  for (const Pool pool : {Pool::mean, Pool::sum, Pool::max}) {
    const SetnetShape shape{.depth = 3, .width = 10, .pool = pool};
    const auto weights = weights_of(shape);
    const at::Tensor x = at::randn({20, 5, 3});
    const at::Tensor order = at::tensor({3, 0, 4, 1, 2}, at::kLong);
    for (const Implementation& implementation : implementations()) {
      const auto model = implementation.make(shape, *weights);
      const at::Tensor permuted = model->outputs(x.index_select(1, order));
      EXPECT_TRUE(permuted.allclose(model->outputs(x).index_select(1, order), 1e-4, 1e-5))
          << implementation.name;
      EXPECT_FALSE(permuted.allclose(model->outputs(x), 1e-3, 1e-3)) << implementation.name;
    }
  }
}

TEST(Setnet, EvaluationCountsEachSetOnceAndLeavesTheGradient) {
  const SetnetShape shape{.depth = 2, .width = 6};
  const ChoiceSets data = generate_choice_sets(1, ChoicePart::test, 3001, 5, 3);
  const auto weights = weights_of(shape);
  const at::Tensor target = data.choice.unsqueeze(1).eq(at::arange(5)).to(at::kFloat);
  for (const Implementation& implementation : implementations()) {
    const auto model = implementation.make(shape, *weights);
    weights->flat_gradient().fill_(5);
    model->evaluate(data, 10, 3001);
    const double expected =
        (model->outputs(data.x) - target).narrow(0, 10, 2991).square().sum().item<double>();
    EXPECT_NEAR(model->take_squared_error() / expected, 1, 1e-5) << implementation.name;
    EXPECT_TRUE(weights->flat_gradient().eq(5).all().item<bool>()) << implementation.name;
  }
}

TEST(Setnet, InstructionSetsWithFusedMultiplyAddGiveTheSameBits) {
  for (const int items : {5, 7}) {
    const SetnetShape shape{.items = items, .depth = 3, .width = 37};
    const ChoiceSets data = generate_choice_sets(1, ChoicePart::training, 300, items, 3);
    const auto weights = weights_of(shape);
    std::vector<at::Tensor> gradients;
    for (const Kernels* kernels : available_kernels()) {
      if (std::string(kernels->name) == "baseline") continue;
      make_cpu_setnet(shape, *weights, *kernels)->gradient(data, at::arange(300));
      gradients.push_back(weights->flat_gradient().clone());
    }
    if (gradients.size() < 2) GTEST_SKIP() << "this processor has fewer than two of them";
    EXPECT_TRUE(gradients[0].equal(gradients[1])) << items << " items";
  }
}

// 19 blocks: no whole number of them for two or three threads, which share the last ones if the
// network is wide.
TEST(Setnet, ThreadsDoNotChangeTheGradientOrTheError) {
  for (const Pool pool : {Pool::mean, Pool::sum, Pool::max}) {
    for (const int width : {20, 120}) {
      const SetnetShape shape{.depth = 3, .width = width, .pool = pool};
      const ChoiceSets data = generate_choice_sets(1, ChoicePart::training, 300, 5, 3);
      const auto weights = weights_of(shape);
      std::vector<at::Tensor> gradients;
      std::vector<double> errors;
      for (const int threads : {1, 2, 3}) {
        at::set_num_threads(threads);
        const auto model = make_setnet(shape, *weights);
        model->gradient(data, at::arange(300));
        gradients.push_back(weights->flat_gradient().clone());
        model->evaluate(data, 0, 300);
        errors.push_back(model->take_squared_error());
      }
      at::set_num_threads(1);
      for (std::size_t i : {1, 2}) {
        EXPECT_TRUE(gradients[0].equal(gradients[i])) << "width " << width;
        EXPECT_EQ(errors[0], errors[i]) << "width " << width;
      }
    }
  }
}

}  // namespace
}  // namespace windrow::worker
