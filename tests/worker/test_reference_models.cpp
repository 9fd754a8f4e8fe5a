// The image models against their definitions with the same weights: logits and the gradients of all
// weights.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "tests/worker/reference_models.h"

namespace windrow::worker {
namespace {

using protocol::Json;

class ReferenceModels : public testing::TestWithParam<std::tuple<const char*, bool>> {};

// By the norm: a unit so near to 0 that its ReLU is open here and closed there moves single
// elements.
void expect_close(const at::Tensor& ours, const at::Tensor& theirs, double limit,
                  const std::string& what) {
  const double size = theirs.norm().item<double>();
  EXPECT_LT((ours - theirs).norm().item<double>(), limit * size + 1e-6) << what;
}

TEST_P(ReferenceModels, GiveTheSameLogitsAndGradients) {
  at::manual_seed(3);
  const auto [name, training] = GetParam();
  Weights weights(at::kCPU, 5);
  Json given{{"model", name}, {"optimizer", "adam"}, {"epochs", 1}, {"dropout", 0.2}};
  if (std::string(name) == "resnet") given["depth"] = 14;
  const Parameters parameters("cifar10", given);
  const auto model = make_image_model(name, parameters, weights);
  weights.allocate(/*autograd=*/true);
  // No weight is at a value that hides it: biases of 0, scales of 1.
  weights.flat().add_(at::randn({weights.count()}), 0.02);
  if (weights.state().size() > 1)
    weights.state()[1].copy_(at::rand({weights.state()[1].numel()}) + 0.5);
  const at::Tensor images = at::randn({6, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor labels = at::randint(10, {6}, at::kLong);
  const Pass pass{.training = training, .seed = 4, .epoch = 2, .step = 3};

  test::ReferenceModel reference(parameters, weights);
  const at::Tensor expected = reference.forward(images, pass);
  const at::Tensor logits = model->forward(images, pass);
  expect_close(logits, expected, 1e-5, "logits");
  at::cross_entropy_loss(expected, labels).backward();
  at::cross_entropy_loss(logits, labels).backward();
  std::int64_t count = 0;
  for (const auto& [weight, leaf] : reference.leaves()) {
    count += leaf.numel();
    expect_close(weights.gradient(weight), leaf.grad(), 3e-2, weight);
  }
  EXPECT_EQ(count, weights.count()) << "the definition uses every weight";
}

INSTANTIATE_TEST_SUITE_P(All, ReferenceModels,
                         testing::Combine(testing::Values("cnn5x5", "cnn3", "resnet9", "resnet"),
                                          testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) +
                                  (std::get<1>(info.param) ? "InTraining" : "InEvaluation");
                         });

}  // namespace
}  // namespace windrow::worker
