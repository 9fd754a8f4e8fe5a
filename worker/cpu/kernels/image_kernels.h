// Loops of image models on the CPU, over float images in channels-last order: [n][y][x][channel].
// Compiled once for each instruction set, as kernels.h says.
//
// Convolutions with 3x3 or 5x5 taps, stride 1 and 'same' padding follow Winograd's minimal
// filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): a tile of
// `tile` x `tile` outputs (4 for 3x3 taps, 2 for 5x5) comes from a window of 6x6 inputs by 36
// products instead of 144 or 100. The interpolation points are 0, ±1/√2, ±√2 and ∞: their powers
// stay near 1, and the rounding error is half of that of the usual 0, ±1, ±2, ∞.
//
// What is transformed lies in 36 planes, a plane in panels of 16 channels: [panel][row][16], where
// rows are tiles or input channels.
#pragma once

#include <cstdint>

#include "worker/cpu/kernels/kernels.h"

namespace windrow::worker {

inline constexpr int kWinogradWindow = 6;
inline constexpr int kWinogradPlanes = kWinogradWindow * kWinogradWindow;
inline constexpr std::int64_t kWinogradMaxChannels = 2048;

// Between images and planes. Tiles are numbered by image, row and column; those from `first_tile`
// to first_tile + tiles - 1 are rows 0 to tiles - 1 of `planes`. Height and width are multiples of
// `tile`, channels of 16; all pointers are aligned to 64 bytes.
struct WinogradTiles {
  std::int64_t height = 0, width = 0, channels = 0;
  int tile = 4;
  std::int64_t first_tile = 0, tiles = 0;
  const float* image = nullptr;  // read by input and gradient
  float* output = nullptr;       // written by output
  const float* bias = nullptr;   // [channels], added by output; may be null
  float* planes = nullptr;
  std::int64_t plane_stride = 0, panel_stride = 0;  // in floats
};

// Between filters [out][in][taps][taps] and planes. Lane l of panel p in row r stands for the
// filter at (16 p + l) * lane_stride + r * row_stride.
struct WinogradFilters {
  int taps = 3;          // a side
  bool rotated = false;  // by 180 degrees, as the gradient of the input needs them
  std::int64_t rows = 0, panels = 0, lane_stride = 0, row_stride = 0;
  const float* filters = nullptr;  // read by filters
  float* gradient = nullptr;       // written by filter_gradient
  float* planes = nullptr;
  std::int64_t plane_stride = 0;
};

// c[p][r] = start[p] + sum over o < outer, i < inner of
//           a[r a_row + o a_outer + i a_inner] * b[p b_panel + (o inner + i) b_step]
// for panels p of 16 lanes and rows r; with `add`, c[p][r] itself is where the sum starts. Rows are
// a multiple of 16; b, c, start and their strides are aligned to 64 bytes.
struct PanelProduct {
  std::int64_t rows = 0, panels = 0, outer = 1, inner = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0, a_outer = 0, a_inner = 0;
  const float* b = nullptr;
  std::int64_t b_panel = 0, b_step = kLanesOfPanel;
  const float* start = nullptr;  // [panels][16]; null: 0
  bool add = false;
  float* c = nullptr;
  std::int64_t c_panel = 0, c_row = 0;

  static constexpr std::int64_t kLanesOfPanel = 16;
};

// relu(max over windows of 2x2) for `lines` lines of the output, of x as wide and high as twice the
// output or by an odd column or row more. `choice` tells which of the window's four pixels, row by
// row, the output came from, or 4 where ReLU closed. Channels are a multiple of 16.
struct ReluMaxPool {
  std::int64_t x_width = 0, x_height = 0, channels = 0;
  std::int64_t first_line = 0, lines = 0;  // counted over images and rows of the output
  const float* x = nullptr;                // read by relu_max_pool
  float* y = nullptr;                      // written by it
  const float* y_gradient = nullptr;       // read by the gradient
  std::int8_t* choice = nullptr;           // laid out as y
  float* x_gradient = nullptr;             // written by the gradient but for odd columns and rows
};

// Batch normalisation of `pixels` pixels of `channels` channels (a multiple of 16), with ReLU where
// `relu`. Vectors are [channels]. The affine form: y = finish(x * scale + shift + residual).
struct BatchNormPass {
  std::int64_t pixels = 0, channels = 0;
  bool relu = false;
  const float* x = nullptr;
  const float* residual = nullptr;  // may be null
  const float* scale = nullptr;
  const float* shift = nullptr;
  float* y = nullptr;
  // Of the gradient: g is y's where the ReLU is open, by the sign of y where `residual` was added
  // (then y is read) and of x * scale + shift elsewhere.
  const float* y_gradient = nullptr;
  float* x_gradient = nullptr;         // g * scale + x * of_x + of_one
  float* residual_gradient = nullptr;  // g; null without `relu` or a residual
  const float* of_x = nullptr;
  const float* of_one = nullptr;
  // Sums over the pixels of x - origin and its square; of the gradient, of g and g (x - origin).
  const float* origin = nullptr;
  float* sum = nullptr;
  float* product_sum = nullptr;
};

// y = x, 0 or times `kept`: element e of a stream (randomness.h) of key `key` becomes 0 where 32
// bits of its number e / 2 (the lower half for even e) are below `threshold`. `first`, the element
// that x and y begin with, is even.
struct Dropout {
  std::int64_t first = 0, n = 0;
  std::uint64_t key = 0;
  std::uint32_t threshold = 0;
  float kept = 1;
  const float* x = nullptr;
  float* y = nullptr;
};

struct ImageKernels {
  void (*winograd_input)(const WinogradTiles&);     // windows of the image to planes
  void (*winograd_output)(const WinogradTiles&);    // planes to tiles of the output
  void (*winograd_gradient)(const WinogradTiles&);  // tiles of the output's gradient to planes
  void (*winograd_filters)(const WinogradFilters&);
  void (*winograd_filter_gradient)(const WinogradFilters&);
  void (*panel_product)(const PanelProduct&);
  void (*relu_max_pool)(const ReluMaxPool&);
  void (*relu_max_pool_gradient)(const ReluMaxPool&);
  void (*batch_norm_sums)(const BatchNormPass&);
  void (*batch_norm_affine)(const BatchNormPass&);
  void (*batch_norm_gradient_sums)(const BatchNormPass&);
  void (*batch_norm_gradient)(const BatchNormPass&);
  void (*dropout)(const Dropout&);
};

// Those of the same instruction set as `kernels`, one of available_kernels().
const ImageKernels& image_kernels_of(const Kernels& kernels);
const ImageKernels& best_image_kernels();

}  // namespace windrow::worker
