#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <gtest/gtest.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <cmath>

#include "worker/optim/optimizer.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

using Implementation = Optimizer::Implementation;

constexpr OptimizerKind kKinds[] = {OptimizerKind::sgd,     OptimizerKind::nesterov,
                                    OptimizerKind::adagrad, OptimizerKind::rmsprop,
                                    OptimizerKind::adam,    OptimizerKind::adamw};

OptimizerSettings settings_of(OptimizerKind kind, double weight_decay = 0) {
  return {.kind = kind,
          .lr = 0.1,
          .momentum = 0.9,
          .alpha = 0.95,
          .beta1 = 0.8,
          .beta2 = 0.97,
          .epsilon = 1e-3,
          .initial_accumulator = 0.2,
          .weight_decay = weight_decay};
}

class Optimizers : public testing::TestWithParam<Implementation> {};

// Weight 1, gradients 0.5 and then -0.25, worked out from the formulas in the header.
TEST_P(Optimizers, TakeTheStepsOfTheirFormulas) {
  const auto after_two_steps = [](OptimizerKind kind) {
    const double g1 = 0.5, g2 = -0.25, lr = 0.1, e = 1e-3;
    switch (kind) {
      case OptimizerKind::sgd:
        return 1 - lr * g1 - lr * g2;
      case OptimizerKind::nesterov: {
        const double b1 = g1, b2 = 0.9 * b1 + g2;
        return 1 - lr * (g1 + 0.9 * b1) - lr * (g2 + 0.9 * b2);
      }
      case OptimizerKind::adagrad: {
        const double s1 = 0.2 + g1 * g1, s2 = s1 + g2 * g2;
        return 1 - lr * g1 / (std::sqrt(s1) + e) - lr * g2 / (std::sqrt(s2) + e);
      }
      case OptimizerKind::rmsprop: {
        const double s1 = 0.05 * g1 * g1, s2 = 0.95 * s1 + 0.05 * g2 * g2;
        return 1 - lr * g1 / (std::sqrt(s1) + e) - lr * g2 / (std::sqrt(s2) + e);
      }
      case OptimizerKind::adam:
      case OptimizerKind::adamw: {
        const double m1 = 0.2 * g1, v1 = 0.03 * g1 * g1;
        const double m2 = 0.8 * m1 + 0.2 * g2, v2 = 0.97 * v1 + 0.03 * g2 * g2;
        return 1 - lr * (m1 / 0.2) / (std::sqrt(v1 / 0.03) + e) -
               lr * (m2 / (1 - 0.8 * 0.8)) / (std::sqrt(v2 / (1 - 0.97 * 0.97)) + e);
      }
    }
    return 0.0;
  };
  for (const OptimizerKind kind : kKinds) {
    const at::Tensor weight = at::tensor({1.0F}), gradient = at::tensor({0.5F});
    Optimizer optimizer(settings_of(kind), weight, gradient, GetParam());
    optimizer.step();
    gradient.fill_(-0.25);
    optimizer.step();
    EXPECT_NEAR(weight.item<double>(), after_two_steps(kind), 1e-6) << static_cast<int>(kind);
  }
}

// Keras' form, which is another function where s is small: weight 1, gradients 0.05 and then
// -0.025.
TEST_P(Optimizers, EpsilonCanStandInTheRoot) {
  const double g1 = 0.05, g2 = -0.025, lr = 0.1, e = 1e-3;
  const auto after = [&](double s1, double s2) {
    return 1 - lr * g1 / std::sqrt(s1 + e) - lr * g2 / std::sqrt(s2 + e);
  };
  const double sum = 0.2 + g1 * g1, mean = 0.05 * g1 * g1;
  for (const auto& [kind, expected] :
       {std::pair(OptimizerKind::adagrad, after(sum, sum + g2 * g2)),
        std::pair(OptimizerKind::rmsprop, after(mean, 0.95 * mean + 0.05 * g2 * g2))}) {
    OptimizerSettings settings = settings_of(kind);
    settings.epsilon_in_root = true;
    const at::Tensor weight = at::tensor({1.0F}), gradient = at::tensor({0.05F});
    Optimizer optimizer(settings, weight, gradient, GetParam());
    optimizer.step();
    gradient.fill_(-0.025);
    optimizer.step();
    EXPECT_NEAR(weight.item<double>(), expected, 1e-6) << static_cast<int>(kind);
  }
}

std::unique_ptr<torch::optim::Optimizer> torch_optimizer(const OptimizerSettings& s, at::Tensor w) {
  using namespace torch::optim;
  const std::vector<at::Tensor> weights{std::move(w)};
  switch (s.kind) {
    case OptimizerKind::sgd:
      return std::make_unique<SGD>(weights, SGDOptions(s.lr).weight_decay(s.weight_decay));
    case OptimizerKind::nesterov:
      return std::make_unique<SGD>(
          weights,
          SGDOptions(s.lr).momentum(s.momentum).nesterov(true).weight_decay(s.weight_decay));
    case OptimizerKind::adagrad:
      return std::make_unique<Adagrad>(weights,
                                       AdagradOptions(s.lr)
                                           .initial_accumulator_value(s.initial_accumulator)
                                           .eps(s.epsilon)
                                           .weight_decay(s.weight_decay));
    case OptimizerKind::rmsprop:
      return std::make_unique<RMSprop>(
          weights, RMSpropOptions(s.lr).alpha(s.alpha).eps(s.epsilon).weight_decay(s.weight_decay));
    case OptimizerKind::adamw:
      return std::make_unique<AdamW>(
          weights,
          AdamWOptions(s.lr).betas({s.beta1, s.beta2}).eps(s.epsilon).weight_decay(s.weight_decay));
    case OptimizerKind::adam:
      break;
  }
  return std::make_unique<Adam>(
      weights,
      AdamOptions(s.lr).betas({s.beta1, s.beta2}).eps(s.epsilon).weight_decay(s.weight_decay));
}

TEST_P(Optimizers, AgreeWithTorchOverManySteps) {
  for (const OptimizerKind kind : kKinds)
    for (const double weight_decay : {0.0, 0.02}) {
      const OptimizerSettings settings = settings_of(kind, weight_decay);
      const at::Tensor weights = at::randn({1003}), gradient = at::zeros({1003});
      at::Tensor reference = weights.clone().set_requires_grad(true);
      Optimizer ours(settings, weights, gradient, GetParam());
      const auto theirs = torch_optimizer(settings, reference);
      for (int step = 0; step < 20; ++step) {
        gradient.copy_(at::randn({1003}));
        reference.mutable_grad() = gradient.clone();
        ours.step();
        theirs->step();
      }
      EXPECT_TRUE(weights.allclose(reference.detach(), 1e-4, 1e-5))
          << static_cast<int>(kind) << ", weight decay " << weight_decay;
    }
}

TEST_P(Optimizers, GoOnFromTheirStateAsIfNeverInterrupted) {
  for (const OptimizerKind kind : kKinds) {
    const at::Tensor gradients = at::randn({6, 50}), start = at::randn({50});
    const auto steps = [&](Optimizer& optimizer, const at::Tensor& gradient, int from, int to) {
      for (int i = from; i < to; ++i) {
        gradient.copy_(gradients[i]);
        optimizer.step();
      }
    };
    const at::Tensor whole = start.clone(), g1 = at::zeros({50});
    Optimizer undisturbed(settings_of(kind), whole, g1, GetParam());
    steps(undisturbed, g1, 0, 6);

    const at::Tensor halves = start.clone(), g2 = at::zeros({50});
    Optimizer before(settings_of(kind), halves, g2, GetParam());
    steps(before, g2, 0, 3);
    Optimizer after(settings_of(kind), halves, g2, GetParam());
    const auto from = before.state(), to = after.state();
    ASSERT_EQ(from.size(), to.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[i].copy_(from[i]);
    steps(after, g2, 3, 6);
    EXPECT_TRUE(whole.equal(halves)) << static_cast<int>(kind);
  }
}

// PyTorch's form: w is 1; lr 0.1 and decay 0.2 take 0.02 off; then adam's first step is lr sign(g).
TEST_P(Optimizers, AdamwDecaysTheWeightAndNotTheGradient) {
  OptimizerSettings settings = settings_of(OptimizerKind::adamw, 0.2);
  settings.epsilon = 1e-12;
  const at::Tensor weight = at::tensor({1.0F}), gradient = at::tensor({0.5F});
  Optimizer(settings, weight, gradient, GetParam()).step();
  EXPECT_NEAR(weight.item<double>(), 0.98 - 0.1, 1e-6);
}

// Weights in and out of the ranges do what they would with the decay and without it.
TEST_P(Optimizers, DecayActsOnItsRangesOnly) {
  constexpr std::int64_t kCount = 200000;  // several threads' worth
  const at::Tensor start = at::randn({kCount}), gradient = at::randn({kCount});
  const std::vector<Range> decayed{{0, 1000}, {1001, 65530}, {65540, 140000}, {199990, kCount}};
  const at::Tensor inside = at::zeros({kCount}, at::kBool);
  for (const Range& range : decayed)
    inside.narrow(0, range.begin, range.end - range.begin).fill_(1);
  for (const OptimizerKind kind : kKinds) {
    const auto after_step = [&](double weight_decay, std::optional<std::vector<Range>> ranges) {
      OptimizerSettings settings = settings_of(kind, weight_decay);
      settings.decayed = std::move(ranges);
      const at::Tensor weights = start.clone();
      Optimizer(settings, weights, gradient.clone(), GetParam()).step();
      return weights;
    };
    const at::Tensor with = after_step(0.3, std::nullopt), without = after_step(0, std::nullopt);
    const at::Tensor expected = at::where(inside, with, without);
    EXPECT_TRUE(after_step(0.3, decayed).allclose(expected, 1e-6, 1e-6)) << static_cast<int>(kind);
    EXPECT_FALSE(with.allclose(without, 1e-4, 1e-4)) << static_cast<int>(kind);
    EXPECT_TRUE(after_step(0.3, std::vector<Range>{}).allclose(without, 1e-6, 1e-6));
  }
}

TEST_P(Optimizers, ClipTheGradientAsTorchDoes) {
  OptimizerSettings settings = settings_of(OptimizerKind::sgd);
  settings.lr = 1;
  const auto step = [&](std::vector<float> gradient) {
    const at::Tensor weights = at::zeros({2});
    Optimizer(settings, weights, at::tensor(gradient), GetParam()).step();
    return -weights;
  };
  settings.clip_norm = 1;
  EXPECT_TRUE(step({3, 4}).allclose(at::tensor({0.6F, 0.8F}), 1e-5)) << "length 5 to 1";
  EXPECT_TRUE(step({0.3F, 0.4F}).equal(at::tensor({0.3F, 0.4F}))) << "short enough";
  settings.clip_value = 0.5;
  EXPECT_TRUE(step({-0.6F, 0.2F}).equal(at::tensor({-0.5F, 0.2F})));
  EXPECT_TRUE(step({-7, 9}).allclose(at::tensor({-0.5F, 0.5F}), 1e-5)) << "then of length 0.71";
  settings.clip_norm = 0.1;
  EXPECT_TRUE(step({-7, 9}).allclose(at::tensor({-0.0707107F, 0.0707107F}), 1e-5));
}

TEST_P(Optimizers, AChangedRateActsFromTheNextStep) {
  const at::Tensor weight = at::tensor({1.0F}), gradient = at::tensor({0.5F});
  Optimizer optimizer(settings_of(OptimizerKind::sgd), weight, gradient, GetParam());
  optimizer.step();
  optimizer.set_lr(0.01);
  optimizer.step();
  EXPECT_NEAR(weight.item<double>(), 1 - 0.05 - 0.005, 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Both, Optimizers,
                         testing::Values(Implementation::kernels, Implementation::operators,
                                         Implementation::fused),
                         [](const auto& info) {
                           return info.param == Implementation::kernels     ? "Kernels"
                                  : info.param == Implementation::operators ? "Operators"
                                                                            : "Fused";
                         });

TEST(OptimizerNames, UnknownOnesAreRefused) {
  EXPECT_EQ(optimizer_from_name("rmsprop"), OptimizerKind::rmsprop);
  EXPECT_THROW(optimizer_from_name("adamax"), TrainerError);
}

}  // namespace
}  // namespace windrow::worker
