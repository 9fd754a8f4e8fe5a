#include "worker/cpu/ops/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "worker/cpu/kernels/image_kernels.h"

namespace windrow::worker {
namespace {

constexpr std::int64_t kFilterLanes = PanelProduct::kLanesOfPanel;

// 36 planes of `rows` rows. An odd number of cache lines from plane to plane: at a power of two,
// the planes of one tile would fall into one set of the cache.
struct Planes {
  Planes(std::int64_t channels, std::int64_t rows)
      : panel_stride(rows * kFilterLanes),
        plane_stride(channels * rows + kFilterLanes),
        storage(at::empty({kWinogradPlanes * plane_stride}, at::kFloat)),
        data(storage.mutable_data_ptr<float>()) {}

  std::int64_t panel_stride, plane_stride;
  at::Tensor storage;
  float* data;
};

int tile_of(std::int64_t taps) {
  return static_cast<int>(kWinogradWindow + 1 - taps);
}

// How many tiles go through the planes at a time: few, so that they stay in the second-level cache,
// but where the filters alone fill it, enough to read those seldom.
std::int64_t tiles_at_once(std::int64_t in, std::int64_t out) {
  constexpr std::int64_t kCacheFloats = 96 * 1024;
  const std::int64_t fitting =
      kCacheFloats / (kWinogradPlanes * (in + out)) / kFilterLanes * kFilterLanes;
  return std::max(fitting, in * out <= 2048 ? 2 * kFilterLanes : 8 * kFilterLanes) *
         at::get_num_threads();
}

WinogradTiles tiles_of(const at::Tensor& images, std::int64_t taps, const Planes& planes) {
  return {.height = images.size(2),
          .width = images.size(3),
          .channels = images.size(1),
          .tile = tile_of(taps),
          .planes = planes.data,
          .plane_stride = planes.plane_stride,
          .panel_stride = planes.panel_stride};
}

std::int64_t count_tiles(const at::Tensor& images, std::int64_t taps) {
  const std::int64_t tile = tile_of(taps);
  return images.size(0) * (images.size(2) / tile) * (images.size(3) / tile);
}

void transform(void (*kernel)(const WinogradTiles&), const WinogradTiles& tiles) {
  at::parallel_for(0, tiles.tiles, kFilterLanes, [&](std::int64_t begin, std::int64_t end) {
    WinogradTiles part = tiles;
    part.first_tile += begin;
    part.tiles = end - begin;
    part.planes += begin * kFilterLanes;
    kernel(part);
  });
}

// Row r of panel p holds the filters from channel r to channels 16 p to 16 p + 15.
WinogradFilters filters_of(const at::Tensor& filters, bool backward, const Planes& planes) {
  const std::int64_t out = filters.size(0), in = filters.size(1), taps = filters.size(2);
  const std::int64_t filter = taps * taps;
  return {.taps = static_cast<int>(taps),
          .rotated = backward,
          .rows = backward ? out : in,
          .panels = (backward ? in : out) / kFilterLanes,
          .lane_stride = backward ? filter : in * filter,
          .row_stride = backward ? in * filter : filter,
          .planes = planes.data,
          .plane_stride = planes.plane_stride};
}

// Calls kernel with ranges of the filters' panels.
void transform(void (*kernel)(const WinogradFilters&), const WinogradFilters& filters) {
  at::parallel_for(0, filters.panels, 1, [&](std::int64_t begin, std::int64_t end) {
    WinogradFilters part = filters;
    const std::int64_t lanes = begin * kFilterLanes * filters.lane_stride;
    part.panels = end - begin;
    if (part.filters) part.filters += lanes;
    if (part.gradient) part.gradient += lanes;
    part.planes += begin * filters.rows * kFilterLanes;
    kernel(part);
  });
}

// The convolution, or with `backward` the one with transposed and rotated filters.
at::Tensor convolve(const at::Tensor& images, const at::Tensor& filters, const at::Tensor& bias,
                    bool backward) {
  const ImageKernels& kernels = best_image_kernels();
  const std::int64_t in = images.size(1), out = filters.size(backward ? 1 : 0);
  const std::int64_t taps = filters.size(2);
  const Planes filter_planes(out, in);
  WinogradFilters from = filters_of(filters, backward, filter_planes);
  from.filters = filters.const_data_ptr<float>();
  transform(kernels.winograd_filters, from);

  const at::Tensor result = at::empty({images.size(0), out, images.size(2), images.size(3)},
                                      images.options(), at::MemoryFormat::ChannelsLast);
  const std::int64_t tiles = count_tiles(images, taps), at_once = tiles_at_once(in, out);
  const Planes inputs(in, at_once), outputs(out, at_once);
  WinogradTiles read = tiles_of(images, taps, inputs), write = tiles_of(result, taps, outputs);
  read.image = images.const_data_ptr<float>();
  write.output = result.mutable_data_ptr<float>();
  if (bias.defined()) write.bias = bias.const_data_ptr<float>();
  for (std::int64_t first = 0; first < tiles; first += at_once) {
    read.first_tile = write.first_tile = first;
    read.tiles = write.tiles = std::min(at_once, tiles - first);
    transform(kernels.winograd_input, read);
    at::parallel_for(0, kWinogradPlanes, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        kernels.panel_product(
            {.rows = (read.tiles + kFilterLanes - 1) / kFilterLanes * kFilterLanes,
             .panels = out / kFilterLanes,
             .outer = in / kFilterLanes,
             .inner = kFilterLanes,
             .a = inputs.data + plane * inputs.plane_stride,
             .a_row = kFilterLanes,
             .a_outer = inputs.panel_stride,
             .a_inner = 1,
             .b = filter_planes.data + plane * filter_planes.plane_stride,
             .b_panel = filter_planes.panel_stride,
             .c = outputs.data + plane * outputs.plane_stride,
             .c_panel = outputs.panel_stride,
             .c_row = kFilterLanes});
    });
    transform(kernels.winograd_output, write);
  }
  return result;
}

// sums[in][out] of one plane += over the tiles, inputs times gradients.
void add_products(const Planes& inputs, const Planes& gradients, const Planes& sums,
                  std::int64_t plane, std::int64_t in, std::int64_t out, std::int64_t tiles,
                  bool add) {
  for (std::int64_t panel = 0; panel < in / kFilterLanes; ++panel)
    best_image_kernels().panel_product(
        {.rows = kFilterLanes,
         .panels = out / kFilterLanes,
         .inner = tiles,
         .a = inputs.data + plane * inputs.plane_stride + panel * inputs.panel_stride,
         .a_row = 1,
         .a_inner = kFilterLanes,
         .b = gradients.data + plane * gradients.plane_stride,
         .b_panel = gradients.panel_stride,
         .add = add,
         .c = sums.data + plane * sums.plane_stride + panel * kFilterLanes * kFilterLanes,
         .c_panel = sums.panel_stride,
         .c_row = kFilterLanes});
}

}  // namespace

bool winograd_applies(const at::Tensor& images, const at::Tensor& filters) {
  const std::int64_t out = filters.size(0), in = filters.size(1), taps = filters.size(2);
  if (filters.size(3) != taps || (taps != 3 && taps != 5)) return false;
  const auto fits = [](std::int64_t channels) {
    return channels % kFilterLanes == 0 && channels <= kWinogradMaxChannels;
  };
  return images.is_cpu() && images.scalar_type() == at::kFloat && fits(in) && fits(out) &&
         images.size(2) % tile_of(taps) == 0 && images.size(3) % tile_of(taps) == 0;
}

at::Tensor winograd_convolution(const at::Tensor& images, const at::Tensor& filters,
                                const at::Tensor& bias) {
  return convolve(images, filters, bias, /*backward=*/false);
}

at::Tensor winograd_image_gradient(const at::Tensor& output_gradient, const at::Tensor& filters) {
  return convolve(output_gradient, filters, {}, /*backward=*/true);
}

at::Tensor winograd_filter_gradient(const at::Tensor& images, const at::Tensor& output_gradient,
                                    std::int64_t taps) {
  const ImageKernels& kernels = best_image_kernels();
  const std::int64_t in = images.size(1), out = output_gradient.size(1);
  const std::int64_t tiles = count_tiles(images, taps), at_once = tiles_at_once(in, out);
  const Planes inputs(in, at_once), gradients(out, at_once), sums(out, in);
  WinogradTiles x = tiles_of(images, taps, inputs), y = tiles_of(output_gradient, taps, gradients);
  x.image = images.const_data_ptr<float>();
  y.image = output_gradient.const_data_ptr<float>();
  for (std::int64_t first = 0; first < tiles; first += at_once) {
    x.first_tile = y.first_tile = first;
    x.tiles = y.tiles = std::min(at_once, tiles - first);
    transform(kernels.winograd_input, x);
    transform(kernels.winograd_gradient, y);
    at::parallel_for(0, kWinogradPlanes, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        add_products(inputs, gradients, sums, plane, in, out, x.tiles, first > 0);
    });
  }
  const at::Tensor gradient = at::empty({out, in, taps, taps}, images.options());
  WinogradFilters to = filters_of(gradient, /*backward=*/false, sums);
  to.gradient = gradient.mutable_data_ptr<float>();
  transform(kernels.winograd_filter_gradient, to);
  return gradient;
}

}  // namespace windrow::worker
