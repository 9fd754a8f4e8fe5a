// The image kernels of each instruction set against those of the best one: the same bits where both
// have fused multiply-add, a rounding error apart elsewhere.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/kernels/kernels.h"
#include "worker/randomness.h"

namespace windrow::worker {
namespace {

// Floats aligned as the kernels want them.
class Buffer {
 public:
  explicit Buffer(std::size_t size, unsigned seed = 0)
      : size_(size), data_(new (std::align_val_t{64}) float[size]) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < size; ++i) data_.get()[i] = seed ? normal(generator) : 0;
  }
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Delete {
    void operator()(float* data) const { ::operator delete[](data, std::align_val_t{64}); }
  };
  std::size_t size_;
  std::unique_ptr<float[], Delete> data_;
};

std::vector<float> values_of(std::initializer_list<const Buffer*> buffers) {
  std::vector<float> values;
  for (const Buffer* buffer : buffers)
    for (std::size_t i = 0; i < buffer->size(); ++i) values.push_back(buffer->data()[i]);
  return values;
}

// Runs `work` with the kernels of each instruction set; it returns what they wrote.
void expect_same(const std::function<std::vector<float>(const ImageKernels&)>& work) {
  const auto available = available_kernels();
  const bool fused = std::strcmp(available.front()->name, "baseline") != 0;
  const std::vector<float> best = work(image_kernels_of(*available.front()));
  for (const Kernels* kernels : available) {
    SCOPED_TRACE(kernels->name);
    const std::vector<float> values = work(image_kernels_of(*kernels));
    ASSERT_EQ(values.size(), best.size());
    const bool exact = fused && std::strcmp(kernels->name, "baseline") != 0;
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (exact)
        ASSERT_EQ(values[i], best[i]) << i;
      else
        ASSERT_NEAR(values[i], best[i], 2e-5F * (1 + std::abs(best[i]))) << i;
    }
  }
}

constexpr std::int64_t kRows = 16, kChannels = 48;
constexpr std::int64_t kPlane = kRows * kChannels + 16;

TEST(ImageKernels, WinogradTransformsAgree) {
  for (const int tile : {4, 2}) {
    const std::int64_t across = 8 / tile;
    WinogradTiles tiles{.height = 8, .width = 8, .channels = kChannels, .tile = tile};
    tiles.first_tile = 1;
    tiles.tiles = std::min<std::int64_t>(kRows, 2 * across * across - 1);
    tiles.plane_stride = kPlane;
    tiles.panel_stride = kRows * 16;
    const Buffer images(2 * 64 * kChannels, 1), planes(36 * kPlane, 2), bias(kChannels, 3);
    for (const auto kernel : {&ImageKernels::winograd_input, &ImageKernels::winograd_gradient})
      expect_same([&](const ImageKernels& kernels) {
        const Buffer out(36 * kPlane);
        tiles.image = images.data();
        tiles.planes = out.data();
        (kernels.*kernel)(tiles);
        return values_of({&out});
      });
    expect_same([&](const ImageKernels& kernels) {
      const Buffer out(2 * 64 * kChannels);
      tiles.planes = planes.data();
      tiles.output = out.data();
      tiles.bias = bias.data();
      kernels.winograd_output(tiles);
      return values_of({&out});
    });
  }
}

TEST(ImageKernels, WinogradFilterTransformsAgree) {
  for (const int taps : {3, 5}) {
    const std::int64_t filter = taps * taps;
    const Buffer filters(static_cast<std::size_t>(32 * 16 * filter), 1), planes(36 * 32 * 16, 2);
    WinogradFilters arguments{.taps = taps, .rows = 16, .panels = 2, .lane_stride = 16 * filter};
    arguments.row_stride = filter;
    arguments.plane_stride = 32 * 16;
    for (const bool rotated : {false, true})
      expect_same([&](const ImageKernels& kernels) {
        const Buffer out(36 * 32 * 16);
        arguments.rotated = rotated;
        arguments.filters = filters.data();
        arguments.planes = out.data();
        kernels.winograd_filters(arguments);
        return values_of({&out});
      });
    expect_same([&](const ImageKernels& kernels) {
      const Buffer out(static_cast<std::size_t>(32 * 16 * filter));
      arguments.gradient = out.data();
      arguments.planes = planes.data();
      kernels.winograd_filter_gradient(arguments);
      return values_of({&out});
    });
  }
}

TEST(ImageKernels, PanelProductsAreSumsOfProducts) {
  constexpr std::int64_t kOuter = 3, kInner = 7, kPanels = 3;
  const Buffer a(kRows * kOuter * kInner, 1), b(kPanels * kOuter * kInner * 16, 2);
  const Buffer start(kPanels * 16, 3), before(kPanels * kRows * 16, 4);
  for (const bool add : {false, true}) {
    const auto product = [&](const ImageKernels& kernels) {
      const Buffer c(kPanels * kRows * 16);
      std::memcpy(c.data(), before.data(), kPanels * kRows * 16 * sizeof(float));
      kernels.panel_product({.rows = kRows,
                             .panels = kPanels,
                             .outer = kOuter,
                             .inner = kInner,
                             .a = a.data(),
                             .a_row = kOuter * kInner,
                             .a_outer = kInner,
                             .a_inner = 1,
                             .b = b.data(),
                             .b_panel = kOuter * kInner * 16,
                             .start = start.data(),
                             .add = add,
                             .c = c.data(),
                             .c_panel = kRows * 16,
                             .c_row = 16});
      return values_of({&c});
    };
    expect_same(product);
    const std::vector<float> c = product(best_image_kernels());
    for (std::int64_t panel = 0; panel < kPanels; ++panel)
      for (std::int64_t row = 0; row < kRows; ++row)
        for (std::int64_t lane = 0; lane < 16; ++lane) {
          const std::int64_t at = (panel * kRows + row) * 16 + lane;
          double sum = add ? before.data()[at] : start.data()[panel * 16 + lane];
          for (std::int64_t k = 0; k < kOuter * kInner; ++k)
            sum += static_cast<double>(a.data()[row * kOuter * kInner + k]) *
                   static_cast<double>(b.data()[(panel * kOuter * kInner + k) * 16 + lane]);
          ASSERT_NEAR(c[static_cast<std::size_t>(at)], sum, 1e-5);
        }
  }
}

TEST(ImageKernels, PoolingAgrees) {
  const Buffer x(2 * 6 * 5 * kChannels, 1), gradient(2 * 3 * 2 * kChannels, 2);
  expect_same([&](const ImageKernels& kernels) {
    const Buffer y(2 * 3 * 2 * kChannels), x_gradient(2 * 6 * 5 * kChannels);
    std::vector<std::int8_t> choice(2 * 3 * 2 * kChannels);
    ReluMaxPool pool{.x_width = 5, .x_height = 6, .channels = kChannels, .lines = 2 * 3};
    pool.x = x.data();
    pool.y = y.data();
    pool.choice = choice.data();
    kernels.relu_max_pool(pool);
    pool.y_gradient = gradient.data();
    pool.x_gradient = x_gradient.data();
    kernels.relu_max_pool_gradient(pool);
    return values_of({&y, &x_gradient});
  });
}

TEST(ImageKernels, BatchNormalisationAgrees) {
  // More than four vectors of channels at every width, and a rest.
  constexpr std::int64_t kPixels = 9, kWide = 80;
  const Buffer x(kPixels * kWide, 1), residual(kPixels * kWide, 2), gradient(kPixels * kWide, 3);
  const Buffer scale(kWide, 4), shift(kWide, 5), origin(kWide, 6);
  for (const bool relu : {false, true})
    for (const bool with_residual : {false, true})
      expect_same([&](const ImageKernels& kernels) {
        const Buffer y(kPixels * kWide), x_gradient(kPixels * kWide), g(kPixels * kWide);
        const Buffer sums(4 * kWide);
        BatchNormPass pass{.pixels = kPixels, .channels = kWide, .relu = relu, .x = x.data()};
        if (with_residual) pass.residual = residual.data();
        if (with_residual && relu) pass.residual_gradient = g.data();
        pass.scale = pass.of_x = scale.data();
        pass.shift = pass.of_one = shift.data();
        pass.origin = origin.data();
        pass.y = y.data();
        pass.y_gradient = gradient.data();
        pass.x_gradient = x_gradient.data();
        pass.sum = sums.data();
        pass.product_sum = sums.data() + kWide;
        kernels.batch_norm_sums(pass);
        kernels.batch_norm_affine(pass);
        pass.sum += 2 * kWide;
        pass.product_sum += 2 * kWide;
        kernels.batch_norm_gradient_sums(pass);
        kernels.batch_norm_gradient(pass);
        return values_of({&y, &x_gradient, &g, &sums});
      });
}

TEST(ImageKernels, DropoutFollowsTheRandomStream) {
  constexpr std::int64_t kFirst = 6, kCount = 301;
  const RandomStream stream(1, 2, Purpose::dropout);
  const Buffer x(kCount, 1);
  Dropout arguments{.first = kFirst, .n = kCount, .key = stream.key(), .threshold = 1u << 30};
  arguments.kept = 4.0F / 3;
  arguments.x = x.data();
  const auto run = [&](const ImageKernels& kernels) {
    const Buffer y(kCount);
    arguments.y = y.data();
    kernels.dropout(arguments);
    return values_of({&y});
  };
  expect_same(run);
  const std::vector<float> y = run(best_image_kernels());
  for (std::int64_t i = 0; i < kCount; ++i) {
    const std::uint64_t bits = stream.bits(static_cast<std::uint64_t>(kFirst + i) / 2);
    const bool dropped = (i % 2 ? bits >> 32 : bits & 0xffffffff) < (1u << 30);
    ASSERT_EQ(y[static_cast<std::size_t>(i)], dropped ? 0 : x.data()[i] * (4.0F / 3)) << i;
  }
}

}  // namespace
}  // namespace windrow::worker
