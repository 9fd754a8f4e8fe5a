// Passes over the pixels of images: pooling and batch normalisation, 16 channels at a time, and
// dropout.
#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/kernels/vector.h"

namespace windrow::worker::WINDROW_ISA {
namespace {

typedef std::int32_t IntPart __attribute__((vector_size(kWidth * sizeof(std::int32_t))));
typedef std::int8_t BytePart __attribute__((vector_size(kWidth), may_alias, aligned(1)));

WINDROW_INLINE Part part_at(const float* from) {
  return *reinterpret_cast<const Part*>(from);
}

// The first pixels of the windows of one line.
struct Line {
  std::int64_t x, y;  // in floats
};

Line line_at(const ReluMaxPool& a, std::int64_t line) {
  const std::int64_t height = a.x_height / 2, width = a.x_width / 2;
  const std::int64_t x_line = line / height * a.x_height + line % height * 2;
  return {x_line * a.x_width * a.channels, line * width * a.channels};
}

// ReLU, where a NaN stays one, so that the loss shows it.
WINDROW_INLINE Part relu(Part v) {
  return v < 0 ? Part{} : v;
}

}  // namespace

void relu_max_pool(const ReluMaxPool& a) {
  const std::int64_t c = a.channels, down = a.x_width * c;
  for (std::int64_t l = a.first_line; l < a.first_line + a.lines; ++l) {
    const Line line = line_at(a, l);
    for (std::int64_t window = 0; window < a.x_width / 2; ++window)
      for (std::int64_t i = 0; i < c; i += kWidth) {
        const float* x = a.x + line.x + 2 * window * c + i;
        const Part others[3] = {part_at(x + c), part_at(x + down), part_at(x + down + c)};
        Part best = part_at(x);
        IntPart choice{};
        for (int k = 0; k < 3; ++k) {
          const IntPart better = others[k] > best || others[k] != others[k];
          best = better ? others[k] : best;
          choice = better ? choice - choice + (k + 1) : choice;
        }
        choice = best <= 0 ? choice - choice + 4 : choice;
        const std::int64_t to = line.y + window * c + i;
        *reinterpret_cast<Part*>(a.y + to) = relu(best);
        *reinterpret_cast<BytePart*>(a.choice + to) = __builtin_convertvector(choice, BytePart);
      }
  }
}

void relu_max_pool_gradient(const ReluMaxPool& a) {
  const std::int64_t c = a.channels, down = a.x_width * c;
  for (std::int64_t l = a.first_line; l < a.first_line + a.lines; ++l) {
    const Line line = line_at(a, l);
    for (std::int64_t window = 0; window < a.x_width / 2; ++window)
      for (std::int64_t i = 0; i < c; i += kWidth) {
        const std::int64_t from = line.y + window * c + i;
        const Part gradient = part_at(a.y_gradient + from);
        const BytePart bytes = *reinterpret_cast<const BytePart*>(a.choice + from);
        const IntPart choice = __builtin_convertvector(bytes, IntPart);
        float* x = a.x_gradient + line.x + 2 * window * c + i;
        *reinterpret_cast<Part*>(x) = choice == 0 ? gradient : Part{};
        *reinterpret_cast<Part*>(x + c) = choice == 1 ? gradient : Part{};
        *reinterpret_cast<Part*>(x + down) = choice == 2 ? gradient : Part{};
        *reinterpret_cast<Part*>(x + down + c) = choice == 3 ? gradient : Part{};
      }
  }
}

namespace {

// Calls pass(i, channel) for each vector of the pixels.
template <class Pass>
WINDROW_INLINE void for_each_part(const BatchNormPass& a, Pass pass) {
  for (std::int64_t pixel = 0; pixel < a.pixels; ++pixel)
    for (std::int64_t channel = 0; channel < a.channels; channel += kWidth)
      pass(pixel * a.channels + channel, channel);
}

// g: the gradient of y before its ReLU.
template <bool Relu, bool Residual>
WINDROW_INLINE Part open_gradient(const BatchNormPass& a, std::int64_t i, std::int64_t channel) {
  const Part gradient = part_at(a.y_gradient + i);
  if constexpr (!Relu) return gradient;
  Part y;
  if constexpr (Residual)
    y = part_at(a.y + i);
  else
    y = part_at(a.x + i) * part_at(a.scale + channel) + part_at(a.shift + channel);
  return y > 0 ? gradient : Part{};
}

// Sums over pixels of two values for each channel: four vectors of channels at a time, so that the
// sums stay in the registers. value(i, channel, first, second) adds to them.
template <int Parts, class Value>
WINDROW_INLINE void sum_channels(const BatchNormPass& a, std::int64_t channel, Value value) {
  Part first[Parts] = {}, second[Parts] = {};
  for (std::int64_t pixel = 0; pixel < a.pixels; ++pixel)
    for (int k = 0; k < Parts; ++k) {
      const std::int64_t c = channel + k * kWidth;
      value(pixel * a.channels + c, c, first[k], second[k]);
    }
  for (int k = 0; k < Parts; ++k) {
    *reinterpret_cast<Part*>(a.sum + channel + k * kWidth) = first[k];
    *reinterpret_cast<Part*>(a.product_sum + channel + k * kWidth) = second[k];
  }
}

template <class Value>
WINDROW_INLINE void sum_pixels(const BatchNormPass& a, Value value) {
  constexpr int kAtOnce = 4;
  std::int64_t channel = 0;
  for (; channel + kAtOnce * kWidth <= a.channels; channel += kAtOnce * kWidth)
    sum_channels<kAtOnce>(a, channel, value);
  for (; channel < a.channels; channel += kWidth) sum_channels<1>(a, channel, value);
}

template <bool Relu, bool Residual>
void gradient_sums(const BatchNormPass& a) {
  sum_pixels(a, [&](std::int64_t i, std::int64_t channel, Part& sum, Part& product_sum) {
    const Part g = open_gradient<Relu, Residual>(a, i, channel);
    sum += g;
    product_sum += g * (part_at(a.x + i) - part_at(a.origin + channel));
  });
}

template <bool Relu, bool Residual>
void gradient(const BatchNormPass& a) {
  for_each_part(a, [&](std::int64_t i, std::int64_t channel) {
    const Part g = open_gradient<Relu, Residual>(a, i, channel);
    if constexpr (Residual) *reinterpret_cast<Part*>(a.residual_gradient + i) = g;
    *reinterpret_cast<Part*>(a.x_gradient + i) =
        g * part_at(a.scale + channel) +
        (part_at(a.x + i) * part_at(a.of_x + channel) + part_at(a.of_one + channel));
  });
}

template <bool Relu, bool Residual>
void affine(const BatchNormPass& a) {
  for_each_part(a, [&](std::int64_t i, std::int64_t channel) {
    Part y = part_at(a.x + i) * part_at(a.scale + channel) + part_at(a.shift + channel);
    if constexpr (Residual) y += part_at(a.residual + i);
    *reinterpret_cast<Part*>(a.y + i) = Relu ? relu(y) : y;
  });
}

}  // namespace

void batch_norm_sums(const BatchNormPass& a) {
  sum_pixels(a, [&](std::int64_t i, std::int64_t channel, Part& sum, Part& square_sum) {
    const Part x = part_at(a.x + i) - part_at(a.origin + channel);
    sum += x;
    square_sum += x * x;
  });
}

void batch_norm_affine(const BatchNormPass& a) {
  if (!a.relu) return a.residual ? affine<false, true>(a) : affine<false, false>(a);
  a.residual ? affine<true, true>(a) : affine<true, false>(a);
}

void batch_norm_gradient_sums(const BatchNormPass& a) {
  if (!a.relu) return gradient_sums<false, false>(a);
  a.residual_gradient ? gradient_sums<true, true>(a) : gradient_sums<true, false>(a);
}

void batch_norm_gradient(const BatchNormPass& a) {
  if (!a.relu) return gradient<false, false>(a);
  a.residual_gradient ? gradient<true, true>(a) : gradient<true, false>(a);
}

namespace {

// RandomStream::bits: here again because a function of a header would be compiled for one
// instruction set and linked into all.
WINDROW_INLINE std::uint64_t bits_of(std::uint64_t key, std::uint64_t i) {
  std::uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

constexpr std::int64_t kNumbersAtOnce = 64;

WINDROW_INLINE void drop(const Dropout& a, const std::uint64_t* numbers, std::int64_t begin,
                         std::int64_t n) {
  const float* __restrict x = a.x + begin;
  float* __restrict y = a.y + begin;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto half = static_cast<std::uint32_t>(numbers[i / 2] >> (i % 2 * 32));
    y[i] = x[i] * (half < a.threshold ? 0 : a.kept);
  }
}

}  // namespace

void dropout(const Dropout& a) {
  std::uint64_t numbers[kNumbersAtOnce];
  for (std::int64_t begin = 0; begin < a.n; begin += 2 * kNumbersAtOnce) {
    const auto first = static_cast<std::uint64_t>(a.first + begin) / 2;
    for (std::int64_t i = 0; i < kNumbersAtOnce; ++i)
      numbers[i] = bits_of(a.key, first + static_cast<std::uint64_t>(i));
    if (begin + 2 * kNumbersAtOnce <= a.n)
      drop(a, numbers, begin, 2 * kNumbersAtOnce);  // a constant: the loop needs no rest
    else
      drop(a, numbers, begin, a.n - begin);
  }
}

}  // namespace windrow::worker::WINDROW_ISA
