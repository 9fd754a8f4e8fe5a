#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/models/image_model.h"

namespace windrow::worker {
namespace {

struct Model {
  explicit Model(const std::string& name, protocol::Json more = protocol::Json::object())
      : weights(at::kCPU, 5) {
    more["model"] = name;
    more["optimizer"] = "sgd";
    more["epochs"] = 1;
    model = make_image_model(name, Parameters("cifar10", more), weights);
    weights.allocate(/*autograd=*/true);
  }
  at::Tensor forward(const at::Tensor& images, const Pass& pass) {
    return model->forward(images, pass);
  }
  Weights weights;
  std::unique_ptr<ImageModel> model;
};

at::Tensor images(std::int64_t n) {
  return at::randn({n, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast);
}

// On paper: a convolution of k x k without bias, with its normalisation, has in out k² + 2 out.
constexpr std::int64_t conv3(std::int64_t in, std::int64_t out) {
  return in * out * 9 + 2 * out;
}
constexpr std::int64_t linear(std::int64_t in, std::int64_t out) {
  return in * out + out;
}

TEST(ParameterCount, OfCnn5x5) {
  // (75 32 + 32) + (800 64 + 64) + (1600 128 + 128) + (2048 1000 + 1000) + (1000 10 + 10)
  // = 2,432 + 51,264 + 204,928 + 2,049,000 + 10,010
  EXPECT_EQ(Model("cnn5x5").weights.count(), 2317634);
}

TEST(ParameterCount, OfCnn3) {
  // 32: (27 32 + 64) + (288 32 + 64) = 928 + 9,280
  // 64: (288 64 + 128) + (576 64 + 128) = 18,560 + 36,992
  // 128: (576 128 + 256) + (1152 128 + 256) = 73,984 + 147,712
  // fully connected: (128 4 4 128 + 128) + (128 10 + 10) = 262,272 + 1,290
  // 10,208 + 55,552 + 221,696 + 263,562 = 551,018
  EXPECT_EQ(Model("cnn3").weights.count(), 551018);
}

TEST(ParameterCount, OfResnet9) {
  // 64: 27 64 + 128 = 1,856; 128: 576 128 + 256 = 73,984
  // residual 128: 2 (1152 128 + 256) = 295,424
  // 256: 1152 256 + 512 = 295,424; 512: 2304 512 + 1024 = 1,180,672
  // residual 512: 2 (4608 512 + 1024) = 4,720,640; 512 10 + 10 = 5,130
  // 1,856 + 73,984 + 295,424 + 295,424 + 1,180,672 + 4,720,640 + 5,130 = 6,573,130
  EXPECT_EQ(Model("resnet9").weights.count(), 6573130);
}

TEST(ParameterCount, OfResnetByDepth) {
  // Depth 20, n = 3: first 27 16 + 32 = 464
  // 16: 6 (144 16 + 32) = 6 2,336 = 14,016
  // 32: (144 32 + 64) + 5 (288 32 + 64) = 4,672 + 46,400 = 51,072
  // 64: (288 64 + 128) + 5 (576 64 + 128) = 18,560 + 184,960 = 203,520
  // 64 10 + 10 = 650; 464 + 14,016 + 51,072 + 203,520 + 650 = 269,722
  EXPECT_EQ(Model("resnet").weights.count(), 269722);
  for (const std::int64_t n : {1, 5, 9}) {
    const std::int64_t expected = conv3(3, 16) + 2 * n * conv3(16, 16) + conv3(16, 32) +
                                  (2 * n - 1) * conv3(32, 32) + conv3(32, 64) +
                                  (2 * n - 1) * conv3(64, 64) + linear(64, 10);
    EXPECT_EQ(Model("resnet", {{"depth", 6 * n + 2}}).weights.count(), expected);
  }
}

TEST(Initialization, IsUniformWithinTheLimitThatIsAskedFor) {
  // Of 16 channels to 32: 144 inputs and 288 outputs; of the last layer 64 and 10.
  const auto expect = [](const char* chosen, double convolution, double linear, double bias) {
    const Model m("resnet", {{"initialization", chosen}});
    const auto near = [&](const char* weight, double limit) {
      const at::Tensor w = m.weights[weight];
      EXPECT_LE(w.abs().max().item<double>(), limit * 1.000001) << chosen << " " << weight;
      EXPECT_GE(w.abs().max().item<double>(), 0.5 * limit) << chosen << " " << weight;
      EXPECT_NEAR(w.mean().item<double>(), 0, 0.4 * limit) << chosen << " " << weight;
    };
    near("stage32.block1.conv1.weight", convolution);
    near("output.weight", linear);
    near("output.bias", bias);
  };
  expect("own", std::sqrt(6.0 / 144), std::sqrt(6.0 / 74), 0);
  expect("glorot", std::sqrt(6.0 / (144 + 288)), std::sqrt(6.0 / 74), 0);
  expect("he", std::sqrt(6.0 / 144), std::sqrt(6.0 / 64), 0);
  expect("pytorch", std::sqrt(1.0 / 144), std::sqrt(1.0 / 64), std::sqrt(1.0 / 64));
}

// A convolution that no batch normalisation follows has a bias.
TEST(Initialization, OfConvolutionsWithBias) {
  const auto largest = [](const char* chosen, const char* weight) {
    return Model("cnn5x5", {{"initialization", chosen}}).weights[weight].abs().max().item<double>();
  };
  EXPECT_NEAR(largest("own", "conv2.weight"), std::sqrt(6.0 / (800 + 1600)), 1e-4);
  EXPECT_EQ(largest("own", "conv2.bias"), 0);
  EXPECT_NEAR(largest("pytorch", "conv2.weight"), std::sqrt(1.0 / 800), 1e-4);
  EXPECT_NEAR(largest("pytorch", "conv2.bias"), std::sqrt(1.0 / 800), 2e-3);
}

class ImageModels : public testing::TestWithParam<const char*> {};

TEST_P(ImageModels, EveryWeightHasAGradient) {
  Model m(GetParam());
  const at::Tensor logits = m.forward(images(6), {.training = true});
  EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{6, 10}));
  at::cross_entropy_loss(logits, at::tensor({0, 1, 2, 3, 4, 5}, at::kLong)).backward();
  for (const Range& range : m.weights.matrices()) {
    const at::Tensor gradient =
        m.weights.flat_gradient().narrow(0, range.begin, range.end - range.begin);
    EXPECT_GT(gradient.abs().max().item<double>(), 0) << range.begin;
  }
  EXPECT_GT(m.weights.flat_gradient().ne(0).sum().item<double>(),
            0.25 * static_cast<double>(m.weights.count()));
}

TEST_P(ImageModels, EvaluateEachImageByItself) {
  Model m(GetParam(), {{"dropout", 0.5}});
  const at::Tensor a = images(4), b = images(3);
  m.forward(a, {.training = true});
  const at::Tensor alone = m.forward(a, {}), together = m.forward(at::cat({a, b}), {});
  EXPECT_TRUE(alone.allclose(together.narrow(0, 0, 4), 1e-4, 1e-4));
  EXPECT_TRUE(alone.equal(m.forward(a, {.seed = 9, .epoch = 9, .step = 9})));
}

TEST_P(ImageModels, DropOutInTrainingByTheStep) {
  const at::Tensor a = images(4);
  Model with(GetParam(), {{"dropout", 0.3}}), without(GetParam());
  const Pass first{.training = true, .step = 0}, second{.training = true, .step = 1};
  EXPECT_TRUE(with.forward(a, first).equal(with.forward(a, first)));
  EXPECT_FALSE(with.forward(a, first).equal(with.forward(a, second)));
  EXPECT_TRUE(without.forward(a, first).equal(without.forward(a, second)));
}

INSTANTIATE_TEST_SUITE_P(All, ImageModels, testing::Values("cnn5x5", "cnn3", "resnet9", "resnet"),
                         [](const auto& info) { return std::string(info.param); });

// With blocks that add nothing, what is left of the network is its shortcuts: every second pixel,
// and zeros around the channels there were.
TEST(Resnet, ShortcutsHalveTheImageAndPadTheChannels) {
  Model m("resnet", {{"depth", 8}});
  const at::NoGradGuard no_gradients;
  for (const char* stage : {"stage16", "stage32", "stage64"})
    m.weights[std::string(stage) + ".block1.conv2.norm.weight"].zero_();
  const at::Tensor input = images(2);
  at::Tensor x =
      at::relu(at::conv2d(input, m.weights["conv.weight"], {}, 1, 1) / std::sqrt(1 + 1e-5));
  x = x.slice(2, 0, std::nullopt, 4).slice(3, 0, std::nullopt, 4);
  x = at::constant_pad_nd(x, {0, 0, 0, 0, 24, 24}).mean({2, 3});
  const at::Tensor expected = at::linear(x, m.weights["output.weight"], m.weights["output.bias"]);
  EXPECT_TRUE(m.forward(input, {}).allclose(expected, 1e-4, 1e-5));
}

}  // namespace
}  // namespace windrow::worker
