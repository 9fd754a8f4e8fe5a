// Convolutions of our own against ATen's in double precision, and their gradients against autograd.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "worker/cpu/ops/conv2d.h"
#include "worker/cpu/ops/stem_convolution.h"
#include "worker/cpu/ops/winograd.h"

namespace windrow::worker {
namespace {

struct Case {
  std::int64_t images, in, out, taps, height, width, stride = 1;
  bool image_gradient = true;
};

// Some of each way through conv2d. The numbers of tiles are no multiples of what goes at a time.
const Case kWinograd[] = {{3, 16, 32, 3, 8, 12},   {5, 32, 16, 3, 4, 4},  {7, 48, 80, 3, 16, 16},
                          {2, 16, 48, 5, 6, 10},   {9, 64, 128, 5, 8, 8}, {1, 128, 64, 3, 32, 32},
                          {40, 16, 16, 3, 16, 16}, {1, 256, 272, 3, 4, 4}};
const Case kStem[] = {{3, 3, 32, 5, 8, 16, 1, false},
                      {2, 3, 16, 3, 5, 32, 1, false},
                      {1, 1, 48, 5, 7, 16, 1, false},
                      {4, 3, 64, 3, 32, 32, 1, false}};
const Case kOther[] = {{3, 16, 32, 3, 8, 8, 2},
                       {2, 3, 16, 3, 16, 16, 1},  // of images, too
                       {2, 5, 7, 3, 9, 9},
                       {2, 16, 16, 3, 7, 9},
                       {2, 16, 32, 1, 8, 8, 2}};

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

// Root mean squares, relative: a few times the rounding error of float.
void expect_near(const at::Tensor& ours, const at::Tensor& exact, const char* what) {
  ASSERT_EQ(ours.sizes(), exact.sizes()) << what;
  const double error = (ours.to(at::kDouble) - exact).square().mean().item<double>();
  const double size = exact.square().mean().item<double>();
  EXPECT_LT(std::sqrt(error / size), 4e-6) << what;
}

struct Variables {
  explicit Variables(const Case& c)
      : x(channels_last(at::randn({c.images, c.in, c.height, c.width}))),
        weight(at::randn({c.out, c.in, c.taps, c.taps})),
        bias(at::randn({c.out})) {
    require_gradients(c.image_gradient);
  }
  Variables(const Variables& other, at::ScalarType type, bool image_gradient)
      : x(other.x.detach().to(type)),
        weight(other.weight.detach().to(type)),
        bias(other.bias.detach().to(type)) {
    require_gradients(image_gradient);
  }
  void require_gradients(bool image_gradient) {
    x.set_requires_grad(image_gradient);
    weight.set_requires_grad(true);
    bias.set_requires_grad(true);
  }
  at::Tensor x, weight, bias;
};

void check(const Case& c, bool with_bias) {
  SCOPED_TRACE(testing::Message() << c.in << " to " << c.out << " channels, " << c.taps << " taps, "
                                  << c.height << " x " << c.width << ", stride " << c.stride
                                  << (with_bias ? ", bias" : ""));
  Variables a(c);
  Variables b(a, at::kDouble, c.image_gradient);
  const at::Tensor y = conv2d(a.x, a.weight, with_bias ? a.bias : at::Tensor(), c.stride);
  const at::Tensor exact =
      at::conv2d(b.x, b.weight, with_bias ? b.bias : at::Tensor(), c.stride, c.taps / 2);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  expect_near(y, exact, "output");
  const at::Tensor toward = at::randn(y.sizes());
  (y * toward).sum().backward();
  (exact * toward.to(at::kDouble)).sum().backward();
  expect_near(a.weight.grad(), b.weight.grad(), "gradient of the weight");
  if (c.image_gradient) expect_near(a.x.grad(), b.x.grad(), "gradient of the images");
  if (with_bias) expect_near(a.bias.grad(), b.bias.grad(), "gradient of the bias");
}

TEST(Conv2d, AndItsGradientsAreAtens) {
  at::manual_seed(1);
  for (const Case& c : kWinograd) check(c, true), check(c, false);
  for (const Case& c : kStem) check(c, true), check(c, false);
  for (const Case& c : kOther) check(c, true);
}

TEST(Conv2d, KernelsOfOurOwnServeTheModelsLayers) {
  const auto goes = [](const Case& c) {
    const Variables v(c);
    return std::pair(winograd_applies(v.x, v.weight), stem_convolution_applies(v.x, v.weight));
  };
  for (const Case& c : kWinograd) EXPECT_TRUE(goes(c).first);
  for (const Case& c : kStem) EXPECT_TRUE(goes(c).second);
}

std::vector<at::Tensor> all_of(const Case& c, const Variables& from) {
  Variables v(from, at::kFloat, c.image_gradient);
  const at::Tensor y = conv2d(v.x, v.weight, v.bias);
  y.square().sum().backward();
  std::vector<at::Tensor> all{y.detach(), v.weight.grad()};
  if (c.image_gradient) all.push_back(v.x.grad());
  return all;
}

TEST(Conv2d, DoesNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  for (const Case& c : {kWinograd[4], kWinograd[6], kStem[3]}) {
    const Variables variables(c);
    at::set_num_threads(1);
    const std::vector<at::Tensor> one = all_of(c, variables);
    at::set_num_threads(3);
    const std::vector<at::Tensor> three = all_of(c, variables);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
  }
  at::set_num_threads(before);
}

}  // namespace
}  // namespace windrow::worker
