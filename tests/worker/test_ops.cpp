// What image models are made of, against ATen and against the formulas.
#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gtest/gtest.h>

#include "worker/cpu/ops/batch_norm.h"
#include "worker/cpu/ops/pooling.h"
#include "worker/models/weights.h"

namespace windrow::worker {
namespace {

at::Tensor images(at::IntArrayRef shape) {
  return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast);
}

void expect_close(const at::Tensor& a, const at::Tensor& b, const char* what) {
  EXPECT_TRUE(a.allclose(b, 1e-4, 1e-5))
      << what << " differs by " << (a - b).abs().max().item<double>();
}

TEST(ReluMaxPool2, IsPoolingThenReluAndSoIsItsGradient) {
  for (const auto& shape : {std::vector<std::int64_t>{3, 5, 8, 6}, {2, 32, 32, 32}, {1, 7, 9, 5}}) {
    const at::Tensor x = images(shape).set_requires_grad(true);
    const at::Tensor y = x.detach().clone().set_requires_grad(true);
    const at::Tensor ours = relu_max_pool2(x), expected = at::relu(at::max_pool2d(y, 2));
    EXPECT_TRUE(ours.equal(expected));
    const at::Tensor weights = at::randn(ours.sizes());
    (ours * weights).sum().backward();
    (expected * weights).sum().backward();
    expect_close(x.grad(), y.grad(), "gradient");
  }
}

struct Norm {
  explicit Norm(std::int64_t channels) : norm(add_batch_norm(weights, "norm", channels)) {
    weights.allocate(/*autograd=*/true);
    weights.flat().copy_(at::randn({weights.count()}));
  }
  Weights weights{at::kCPU, 0};
  BatchNorm norm;
};

TEST(BatchNorm, WeightsAreTrainedAndRunningStatisticsAreNot) {
  Weights weights(at::kCPU, 0);
  const BatchNorm norm = add_batch_norm(weights, "n", 4);
  weights.allocate(true);
  EXPECT_EQ(weights.count(), 8);
  EXPECT_EQ(weights.state().size(), 2u);
  EXPECT_EQ(weights.state()[1].numel(), 8);
  EXPECT_EQ(weights["n.weight"].sum().item<double>(), 4);
  EXPECT_EQ(weights["n.bias"].abs().sum().item<double>(), 0);
  EXPECT_EQ(weights["n.running_mean"].abs().sum().item<double>(), 0);
  EXPECT_EQ(norm.variance.running.sum().item<double>(), 4);
  EXPECT_FALSE(norm.mean.running.requires_grad());
  // Restoring writes into the flat buffers; the layer must see it.
  weights.state()[1].fill_(3);
  EXPECT_EQ(norm.mean.running.sum().item<double>(), 12);
}

// The definition, differentiated by autograd.
at::Tensor by_definition(const at::Tensor& x, const BatchNorm& norm, Finish finish,
                         const at::Tensor& residual) {
  const at::Tensor mean = x.mean({0, 2, 3}, true), variance = x.var({0, 2, 3}, false, true);
  const at::Tensor scale = norm.weight.view({1, -1, 1, 1}), shift = norm.bias.view({1, -1, 1, 1});
  at::Tensor y = (x - mean) / (variance + norm.epsilon).sqrt() * scale + shift;
  if (residual.defined()) y = y + residual;
  return finish == Finish::relu ? at::relu(y) : y;
}

TEST(BatchNorm, InTrainingIsItsDefinitionAndSoAreItsGradients) {
  for (const std::int64_t channels : {16, 7})
    for (const Finish finish : {Finish::none, Finish::relu})
      for (const bool with_residual : {false, true}) {
        Norm a(channels), b(channels);
        b.weights.flat().copy_(a.weights.flat());
        const at::Tensor x = (images({4, channels, 6, 5}) * 2 + 1).set_requires_grad(true);
        const at::Tensor x2 = x.detach().clone().set_requires_grad(true);
        at::Tensor r, r2;
        if (with_residual) {
          r = images(x.sizes()).set_requires_grad(true);
          r2 = r.detach().clone().set_requires_grad(true);
        }
        const at::Tensor y = batch_norm(x, a.norm, true, finish, r);
        const at::Tensor expected = by_definition(x2, b.norm, finish, r2);
        expect_close(y, expected, "output");
        EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
        const at::Tensor weights = at::randn(y.sizes());
        (y * weights).sum().backward();
        (expected * weights).sum().backward();
        expect_close(x.grad(), x2.grad(), "gradient of x");
        expect_close(a.weights.flat_gradient(), b.weights.flat_gradient(), "gradient of weights");
        if (with_residual) expect_close(r.grad(), r2.grad(), "gradient of the residual");
      }
}

TEST(BatchNorm, RunningStatisticsGoTowardsTheBatchsAndServeInEvaluation) {
  Norm n(6);
  const at::Tensor x = images({8, 6, 4, 4}) * 3 + 2;
  for (int step = 0; step < 2; ++step) {
    batch_norm(x, n.norm, true, Finish::none);
    n.weights.follow_statistics(0.1);
  }
  const at::Tensor mean = x.mean({0, 2, 3}), variance = x.var({0, 2, 3}, /*unbiased=*/true);
  expect_close(n.norm.mean.running, mean * 0.19, "running mean");
  expect_close(n.norm.variance.running, 0.81 + variance * 0.19, "running variance");
  const at::Tensor before = n.weights.state()[1].clone();
  const at::Tensor y = batch_norm(x, n.norm, false, Finish::relu, x);
  const auto wide = [](const at::Tensor& t) { return t.view({1, -1, 1, 1}); };
  const at::Tensor expected =
      at::relu((x - wide(n.norm.mean.running)) / (wide(n.norm.variance.running) + 1e-5).sqrt() *
                   wide(n.norm.weight) +
               wide(n.norm.bias) + x);
  expect_close(y, expected, "output");
  EXPECT_TRUE(n.weights.state()[1].equal(before)) << "evaluation must not touch them";
}

}  // namespace
}  // namespace windrow::worker
