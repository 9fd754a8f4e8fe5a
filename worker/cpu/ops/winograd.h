// 2d convolutions by Winograd's minimal filtering (kernels/image_kernels.h), on the CPU: the same
// function as a direct convolution up to rounding (a relative error of about 1e-6 in float, where
// the direct sum has 2e-7), with 4 (3x3 taps) or 2.8 (5x5) times fewer products. Results do not
// depend on the number of threads.
//
// Tensors are float; images [n, channels, height, width] in channels-last order, filters
// [out, in, taps, taps] contiguous. No autograd.
#pragma once

#include <ATen/core/Tensor.h>

namespace windrow::worker {

// Whether the functions below can convolve `images` with `filters`, stride 1, 'same' padding: 3x3
// or 5x5 taps, channels in multiples of 16, height and width of 4 or 2.
bool winograd_applies(const at::Tensor& images, const at::Tensor& filters);

// `bias` [out] may be undefined.
at::Tensor winograd_convolution(const at::Tensor& images, const at::Tensor& filters,
                                const at::Tensor& bias);

// The gradients, given that of the output.
at::Tensor winograd_image_gradient(const at::Tensor& output_gradient, const at::Tensor& filters);
at::Tensor winograd_filter_gradient(const at::Tensor& images, const at::Tensor& output_gradient,
                                    std::int64_t taps);

}  // namespace windrow::worker
