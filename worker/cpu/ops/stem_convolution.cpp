#include "worker/cpu/ops/stem_convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "worker/cpu/kernels/image_kernels.h"

namespace windrow::worker {
namespace {

constexpr std::int64_t kStemLanes = PanelProduct::kLanesOfPanel;

}  // namespace

bool stem_convolution_applies(const at::Tensor& images, const at::Tensor& filters) {
  return images.is_cpu() && images.scalar_type() == at::kFloat &&
         filters.size(1) * filters.size(3) <= kStemLanes && filters.size(0) % kStemLanes == 0 &&
         filters.size(2) == filters.size(3) && filters.size(2) % 2 == 1 &&
         images.size(3) % kStemLanes == 0;
}

at::Tensor bordered(const at::Tensor& images, std::int64_t taps) {
  const std::int64_t n = images.size(0), in = images.size(1), h = images.size(2),
                     w = images.size(3), border = taps / 2;
  const std::int64_t line = (w + 2 * border) * in, image = (h + 2 * border) * line;
  const at::Tensor flat = at::zeros({n * image + kStemLanes}, images.options());
  const at::Tensor inner =
      flat.as_strided({n, h, w * in}, {image, line, 1}, border * line + border * in);
  inner.copy_(images.permute({0, 2, 3, 1}).reshape({n, h, w * in}));
  return flat.as_strided({n, h + 2 * border, w + 2 * border, in}, {image, line, in, 1});
}

at::Tensor stem_convolution(const at::Tensor& bordered_images, const at::Tensor& filters,
                            const at::Tensor& bias) {
  const std::int64_t out = filters.size(0), in = filters.size(1), taps = filters.size(2);
  const std::int64_t n = bordered_images.size(0), h = bordered_images.size(1) - taps + 1,
                     w = bordered_images.size(2) - taps + 1;
  // [panel][row of taps][column of taps, channel][16]
  const at::Tensor panels = filters.view({out / kStemLanes, kStemLanes, in, taps, taps})
                                .permute({0, 3, 4, 2, 1})
                                .contiguous();
  const at::Tensor result =
      at::empty({n, out, h, w}, filters.options(), at::MemoryFormat::ChannelsLast);
  const float* images = bordered_images.const_data_ptr<float>();
  const float* weights = panels.const_data_ptr<float>();
  const float* start = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  float* to = result.mutable_data_ptr<float>();
  at::parallel_for(0, n * h, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line)
      best_image_kernels().panel_product({.rows = w,
                                          .panels = out / kStemLanes,
                                          .outer = taps,
                                          .inner = taps * in,
                                          .a = images + line / h * bordered_images.stride(0) +
                                               line % h * bordered_images.stride(1),
                                          .a_row = in,
                                          .a_outer = bordered_images.stride(1),
                                          .a_inner = 1,
                                          .b = weights,
                                          .b_panel = taps * taps * in * kStemLanes,
                                          .start = start,
                                          .c = to + line * w * out,
                                          .c_panel = kStemLanes,
                                          .c_row = out});
  });
  return result;
}

at::Tensor stem_filter_gradient(const at::Tensor& bordered_images,
                                const at::Tensor& output_gradient, std::int64_t taps) {
  const std::int64_t n = output_gradient.size(0), out = output_gradient.size(1),
                     h = output_gradient.size(2), w = output_gradient.size(3);
  const std::int64_t in = bordered_images.size(3);
  // [row of taps][column of taps, channel; padded to 16][out]
  const at::Tensor sums = at::zeros({taps, kStemLanes, out}, output_gradient.options());
  const float* images = bordered_images.const_data_ptr<float>();
  const float* gradients = output_gradient.const_data_ptr<float>();
  float* to = sums.mutable_data_ptr<float>();
  at::parallel_for(0, taps, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = 0; image < n; ++image)
      for (std::int64_t row = begin; row < end; ++row)
        best_image_kernels().panel_product(
            {.rows = kStemLanes,
             .panels = out / kStemLanes,
             .outer = h,
             .inner = w,
             .a = images + image * bordered_images.stride(0) + row * bordered_images.stride(1),
             .a_row = 1,
             .a_outer = bordered_images.stride(1),
             .a_inner = in,
             .b = gradients + image * h * w * out,
             .b_panel = kStemLanes,
             .b_step = out,
             .add = true,
             .c = to + row * kStemLanes * out,
             .c_panel = kStemLanes,
             .c_row = out});
  });
  return sums.narrow(1, 0, taps * in)
      .view({taps, taps, in, out})
      .permute({3, 2, 0, 1})
      .contiguous();
}

}  // namespace windrow::worker
