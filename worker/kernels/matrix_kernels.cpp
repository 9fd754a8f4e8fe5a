// Small matrix products over rows of 16 lanes, in register tiles.
#include "worker/kernels/vector.h"

namespace windrow::worker::WINDROW_ISA {
namespace {

// Tiles that keep sums and operands in the registers: 32 of 16 lanes with AVX-512, 16 of 8 with
// AVX2, 16 of 4 elsewhere.
#if defined(__AVX512F__)
constexpr int kTileRows = 5, kTileOutputs = 5;
constexpr int kOuterInputs = 5, kOuterOutputs = 5;
#elif defined(__AVX2__)
constexpr int kTileRows = 1, kTileOutputs = 5;
constexpr int kOuterInputs = 2, kOuterOutputs = 2;
#else
constexpr int kTileRows = 1, kTileOutputs = 2;
constexpr int kOuterInputs = 1, kOuterOutputs = 2;
#endif

using Finish = AffineArguments::Finish;

template <Finish F>
WINDROW_INLINE void finish(const AffineArguments& a, Vector& v, std::int64_t row,
                           std::int64_t output, const float* gate) {
  if constexpr (F == Finish::scale) {
    for (Part& p : v.part) p *= a.scale;
  } else if constexpr (F == Finish::relu) {
    // A NaN stays one, so that the loss shows it.
    for (Part& p : v.part) p = p < 0 ? Part{} : p;
  } else if constexpr (F == Finish::add_and_gate) {
    const Vector argmax = load(a.argmax + output * kLanes), added = load(a.added + output * kLanes);
    for (int p = 0; p < kParts; ++p)
      v.part[p] += argmax.part[p] == static_cast<float>(row) ? added.part[p] : Part{};
  }
  if constexpr (F == Finish::gate || F == Finish::add_and_gate) {
    const Vector open = load(gate);
    for (int p = 0; p < kParts; ++p) v.part[p] = open.part[p] > 0 ? v.part[p] : Part{};
  }
}

template <int R, int O, Finish F>
void affine_tile(const AffineArguments& a, std::int64_t row, std::int64_t output) {
  Vector sums[R][O];
  for (int o = 0; o < O; ++o) {
    const Vector start = a.start  ? load(a.start + (output + o) * kLanes)
                         : a.bias ? broadcast(a.bias[output + o])
                                  : broadcast(0);
    for (int r = 0; r < R; ++r) sums[r][o] = start;
  }
  const std::int64_t x_input = a.x_input, x_row = a.x_row, w_input = a.w_input,
                     w_output = a.w_output;
  const float* x = a.x + row * x_row;
  const float* w = a.w + output * w_output;
  for (std::int64_t k = a.inputs; k > 0; --k, x += x_input, w += w_input) {
    Vector rows[R];
    for (int r = 0; r < R; ++r) rows[r] = load(x + r * x_row);
    for (int o = 0; o < O; ++o) {
      const Vector weight = broadcast(w[o * w_output]);
      for (int r = 0; r < R; ++r) add_product(sums[r][o], rows[r], weight);
    }
  }
  const std::int64_t first = output * a.y_output + row * a.y_row;
  const std::int64_t y_output = a.y_output, y_row = a.y_row;
  float* y = a.y + first;
  const float* gate = a.gate + (a.gate ? first : 0);
  for (int o = 0; o < O; ++o)
    for (int r = 0; r < R; ++r) {
      const std::int64_t at = o * y_output + r * y_row;
      finish<F>(a, sums[r][o], row + r, output + o, gate + at);
      store(y + at, sums[r][o]);
    }
}

template <int R, Finish F>
void affine_rows(const AffineArguments& a, std::int64_t row) {
  std::int64_t o = 0;
  for (; o + kTileOutputs <= a.outputs; o += kTileOutputs)
    affine_tile<R, kTileOutputs, F>(a, row, o);
  if constexpr (kTileOutputs > 2)
    for (; o + 2 <= a.outputs; o += 2) affine_tile<R, 2, F>(a, row, o);
  for (; o < a.outputs; ++o) affine_tile<R, 1, F>(a, row, o);
}

template <Finish F>
void affine_all(const AffineArguments& a) {
  std::int64_t row = 0;
  for (; row + kTileRows <= a.rows; row += kTileRows) affine_rows<kTileRows, F>(a, row);
  if constexpr (kTileRows > 1) {
    switch (a.rows - row) {
      case 4:
        return affine_rows<4, F>(a, row);
      case 3:
        return affine_rows<3, F>(a, row);
      case 2:
        return affine_rows<2, F>(a, row);
      case 1:
        return affine_rows<1, F>(a, row);
      default:
        return;
    }
  }
}

template <int A, int B>
void outer_tile(const OuterArguments& a, std::int64_t input, std::int64_t output) {
  Vector sums[A][B];
  for (int i = 0; i < A; ++i)
    for (int o = 0; o < B; ++o) sums[i][o] = broadcast(0);
  const std::int64_t x_input = a.x_input, x_row = a.x_row, y_output = a.y_output, y_row = a.y_row;
  for (std::int64_t b = 0; b < a.blocks; ++b) {
    const float* x = a.x + b * a.x_block + input * x_input;
    const float* y = a.y + b * a.y_block + output * y_output;
    for (std::int64_t r = a.rows; r > 0; --r, x += x_row, y += y_row) {
      Vector right[B];
      for (int o = 0; o < B; ++o) right[o] = load(y + o * y_output);
      for (int i = 0; i < A; ++i) {
        const Vector left = load(x + i * x_input);
        for (int o = 0; o < B; ++o) add_product(sums[i][o], left, right[o]);
      }
    }
  }
  for (int i = 0; i < A; ++i)
    for (int o = 0; o < B; ++o)
      a.w[(input + i) * a.outputs + output + o] = sum_of_lanes(sums[i][o]);
}

template <int A>
void outer_outputs(const OuterArguments& a, std::int64_t input, std::int64_t first,
                   std::int64_t last) {
  std::int64_t o = first;
  for (; o + kOuterOutputs <= last; o += kOuterOutputs) outer_tile<A, kOuterOutputs>(a, input, o);
  for (; o < last; ++o) outer_tile<A, 1>(a, input, o);
}

}  // namespace

void affine(const AffineArguments& a) {
  switch (a.finish) {
    case Finish::nothing:
      return affine_all<Finish::nothing>(a);
    case Finish::scale:
      return affine_all<Finish::scale>(a);
    case Finish::relu:
      return affine_all<Finish::relu>(a);
    case Finish::gate:
      return affine_all<Finish::gate>(a);
    case Finish::add_and_gate:
      return affine_all<Finish::add_and_gate>(a);
  }
}

void outer(const OuterArguments& a) {
  // As many outputs at a time as stay in the second-level cache while all inputs pass by.
  constexpr std::int64_t kCacheFloats = 256 * 1024 / sizeof(float);
  std::int64_t outputs_at_once = kCacheFloats / (a.blocks * a.rows * kLanes);
  outputs_at_once -= outputs_at_once % kOuterOutputs;
  if (outputs_at_once < kOuterOutputs) outputs_at_once = kOuterOutputs;
  for (std::int64_t first = 0; first < a.outputs; first += outputs_at_once) {
    const std::int64_t last =
        first + outputs_at_once < a.outputs ? first + outputs_at_once : a.outputs;
    std::int64_t i = a.first_input;
    for (; i + kOuterInputs <= a.last_input; i += kOuterInputs)
      outer_outputs<kOuterInputs>(a, i, first, last);
    for (; i < a.last_input; ++i) outer_outputs<1>(a, i, first, last);
  }
}

void sum_rows(const SumRowsArguments& a) {
  const float* x = a.x;
  for (std::int64_t f = 0; f < a.features; ++f) {
    Vector sum = load(x);
    x += kLanes;
    for (std::int64_t r = 1; r < a.rows; ++r, x += kLanes) {
      const Vector row = load(x);
      for (int p = 0; p < kParts; ++p) sum.part[p] += row.part[p];
    }
    for (Part& p : sum.part) p *= a.scale;
    store(a.sum + f * kLanes, sum);
  }
}

}  // namespace windrow::worker::WINDROW_ISA
