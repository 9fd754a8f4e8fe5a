// Small matrix products over rows of 16 lanes, in register tiles.
#include "worker/cpu/kernels/vector.h"

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

template <int R, int O>
void product_tile(const ProductArguments& a, std::int64_t row, std::int64_t output) {
  Vector sums[R][O];
  for (int o = 0; o < O; ++o)
    for (int r = 0; r < R; ++r) sums[r][o] = broadcast(0);
  const std::int64_t x_input = a.x_input, x_row = a.x_row, w_input = a.w_input,
                     w_output = a.w_output;
  const float* x = a.x + row * x_row;
  const float* w = a.w + output * w_output;
  // At least once: of a loop that may be left out the compiler keeps the sums in memory.
  std::int64_t k = a.inputs;
  do {
    Vector rows[R];
    for (int r = 0; r < R; ++r) rows[r] = load(x + r * x_row);
    for (int o = 0; o < O; ++o) {
      const Vector weight = broadcast(w[o * w_output]);
      for (int r = 0; r < R; ++r) add_product(sums[r][o], rows[r], weight);
    }
    x += x_input;
    w += w_input;
  } while (--k > 0);
  const std::int64_t y_output = a.y_output, y_row = a.y_row;
  float* y = a.y + output * y_output + row * y_row;
  for (int o = 0; o < O; ++o)
    for (int r = 0; r < R; ++r) store(y + o * y_output + r * y_row, sums[r][o]);
}

template <int R>
void product_rows(const ProductArguments& a, std::int64_t row) {
  std::int64_t o = 0;
  for (; o + kTileOutputs <= a.outputs; o += kTileOutputs) product_tile<R, kTileOutputs>(a, row, o);
  if constexpr (kTileOutputs > 2)
    for (; o + 2 <= a.outputs; o += 2) product_tile<R, 2>(a, row, o);
  for (; o < a.outputs; ++o) product_tile<R, 1>(a, row, o);
}

// The rows that don't fill a tile.
template <int R>
void product_rest(const ProductArguments& a, std::int64_t row) {
  if constexpr (R > 0) {
    if (a.rows - row == R) return product_rows<R>(a, row);
    product_rest<R - 1>(a, row);
  }
}

// Inputs first .. first+A-1 with outputs first .. first+B-1 of some rows, added to `sums`.
template <int A, int B>
void outer_tile(const OuterArguments& a, std::int64_t input, std::int64_t output,
                std::int64_t first_block, std::int64_t last_block, std::int64_t first_row,
                std::int64_t last_row, Vector* memory) {
  Vector sums[A][B];
  for (int i = 0; i < A; ++i)
    for (int o = 0; o < B; ++o) sums[i][o] = memory[i * B + o];
  const std::int64_t x_input = a.x_input, y_output = a.y_output;
  for (std::int64_t b = first_block; b < last_block; ++b) {
    const float* x = a.x + b * a.x_block + input * x_input + first_row * kLanes;
    const float* y = a.y + b * a.y_block + output * y_output + first_row * kLanes;
    for (std::int64_t r = last_row - first_row; r > 0; --r, x += kLanes, y += kLanes) {
      Vector right[B];
      for (int o = 0; o < B; ++o) right[o] = load(y + o * y_output);
      for (int i = 0; i < A; ++i) {
        const Vector left = load(x + i * x_input);
        for (int o = 0; o < B; ++o) add_product(sums[i][o], left, right[o]);
      }
    }
  }
  for (int i = 0; i < A; ++i)
    for (int o = 0; o < B; ++o) memory[i * B + o] = sums[i][o];
}

// w[input ..][output ..] = the lanes' sums.
template <int A, int B>
void store_sums(const OuterArguments& a, std::int64_t input, std::int64_t output,
                const Vector* sums, float* w) {
  constexpr int kFours = (A * B + 3) / 4;
  float total[4 * kFours];
  for (int i = 0; i + 4 <= A * B; i += 4) sums_of_lanes(sums + i, total + i);
  if constexpr (A * B % 4 != 0) {
    Vector last[4];
    for (int i = 0; i < 4; ++i)
      last[i] = 4 * (kFours - 1) + i < A * B ? sums[4 * (kFours - 1) + i] : broadcast(0);
    sums_of_lanes(last, total + 4 * (kFours - 1));
  }
  for (int i = 0; i < A; ++i)
    for (int o = 0; o < B; ++o) w[(input + i) * a.outputs + output + o] = total[i * B + o];
}

// Outputs at a time: their rows stay in the second-level cache while all inputs pass by.
constexpr std::int64_t kMostOutputs = 60;
constexpr std::int64_t kOutputsFloats = 384 * 1024 / sizeof(float);
// Rows at a time: those of a tile's inputs stay in the first-level cache while the outputs pass by.
constexpr std::int64_t kInputsFloats = 16 * 1024 / sizeof(float);

// A inputs with the outputs first .. last-1, at most kMostOutputs, in tiles of B, then of one.
template <int A>
struct OuterStrip {
  const OuterArguments& a;
  std::int64_t input, first, last;
  Vector sums[A * kMostOutputs];  // tile by tile

  template <int B>
  void tile(std::int64_t o, std::int64_t first_block, std::int64_t last_block,
            std::int64_t first_row, std::int64_t last_row) {
    outer_tile<A, B>(a, input, o, first_block, last_block, first_row, last_row,
                     sums + (o - first) * A);
  }

  void add(std::int64_t first_block, std::int64_t last_block, std::int64_t first_row,
           std::int64_t last_row) {
    std::int64_t o = first;
    for (; o + kOuterOutputs <= last; o += kOuterOutputs)
      tile<kOuterOutputs>(o, first_block, last_block, first_row, last_row);
    for (; o < last; ++o) tile<1>(o, first_block, last_block, first_row, last_row);
  }

  void store_to(float* w) const {
    std::int64_t o = first;
    for (; o + kOuterOutputs <= last; o += kOuterOutputs)
      store_sums<A, kOuterOutputs>(a, input, o, sums + (o - first) * A, w);
    for (; o < last; ++o) store_sums<A, 1>(a, input, o, sums + (o - first) * A, w);
  }

  void clear() {
    for (std::int64_t s = 0; s < A * (last - first); ++s) sums[s] = broadcast(0);
  }

  void run() {
    clear();
    add(0, a.blocks, 0, 1);
    store_to(a.head);
    if (!a.w_has_head) clear();
    std::int64_t blocks_at_once = kInputsFloats / (A * a.rows * kLanes);
    if (blocks_at_once < 1) blocks_at_once = 1;
    for (std::int64_t b = 0; b < a.blocks && a.rows > 1; b += blocks_at_once)
      add(b, b + blocks_at_once < a.blocks ? b + blocks_at_once : a.blocks, 1, a.rows);
    store_to(a.w);
  }
};

template <int A>
void outer_strip(const OuterArguments& a, std::int64_t input, std::int64_t first,
                 std::int64_t last) {
  OuterStrip<A> strip{a, input, first, last};
  strip.run();
}

// The inputs that don't fill a tile.
template <int A>
void outer_rest(const OuterArguments& a, std::int64_t input, std::int64_t first,
                std::int64_t last) {
  if constexpr (A > 0) {
    if (a.last_input - input == A) return outer_strip<A>(a, input, first, last);
    outer_rest<A - 1>(a, input, first, last);
  }
}

}  // namespace

void product(const ProductArguments& a) {
  std::int64_t row = 0;
  for (; row + kTileRows <= a.rows; row += kTileRows) product_rows<kTileRows>(a, row);
  product_rest<kTileRows - 1>(a, row);
}

void outer(const OuterArguments& a) {
  std::int64_t outputs_at_once = kOutputsFloats / (a.blocks * a.rows * kLanes);
  outputs_at_once -= outputs_at_once % kOuterOutputs;
  if (outputs_at_once < kOuterOutputs) outputs_at_once = kOuterOutputs;
  if (outputs_at_once > kMostOutputs) outputs_at_once = kMostOutputs;
  for (std::int64_t first = 0; first < a.outputs; first += outputs_at_once) {
    const std::int64_t last =
        first + outputs_at_once < a.outputs ? first + outputs_at_once : a.outputs;
    std::int64_t i = a.first_input;
    for (; i + kOuterInputs <= a.last_input; i += kOuterInputs)
      outer_strip<kOuterInputs>(a, i, first, last);
    outer_rest<kOuterInputs - 1>(a, i, first, last);
  }
}

}  // namespace windrow::worker::WINDROW_ISA
