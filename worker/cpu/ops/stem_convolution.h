// The first convolution of an image model, of three channels or as few, on the CPU: direct, from a
// copy of the images with a border of zeros in which the taps of a row lie side by side. Results do
// not depend on the number of threads. No autograd; there is no gradient of the images.
#pragma once

#include <ATen/core/Tensor.h>

namespace windrow::worker {

// Whether the functions below apply, stride 1 and 'same' padding: at most 16 channels times taps a
// row, outputs and the images' width in multiples of 16.
bool stem_convolution_applies(const at::Tensor& images, const at::Tensor& filters);

// images float [n, in, h, w] in channels-last order, to [n, h + taps - 1, w + taps - 1, in], and 16
// floats to read beyond.
at::Tensor bordered(const at::Tensor& images, std::int64_t taps);

// float [n, out, h, w] in channels-last order. `bias` may be undefined.
at::Tensor stem_convolution(const at::Tensor& bordered_images, const at::Tensor& filters,
                            const at::Tensor& bias);

at::Tensor stem_filter_gradient(const at::Tensor& bordered_images,
                                const at::Tensor& output_gradient, std::int64_t taps);

}  // namespace windrow::worker
