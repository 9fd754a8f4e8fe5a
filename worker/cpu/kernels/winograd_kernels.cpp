// Winograd's transforms, 16 channels at a time; image_kernels.h tells the algorithm.
#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/kernels/vector.h"

namespace windrow::worker::WINDROW_ISA {
namespace {

// The interpolation points besides 0 and infinity are ±kA and ±kB.
constexpr float kA = 0.70710678118654752F, kB = 1.41421356237309505F;

// The transforms of a line. Each is a matrix by a vector: B^T d of the input, A^T m of the output,
// A y of the output's gradient, G g of a filter and G^T u of its gradient.
WINDROW_INLINE void input_line(const Vector* d, Vector* v) {
  const Vector even_a = d[4] - 2 * d[2], odd_a = kA * (d[3] - 2 * d[1]);
  const Vector even_b = d[4] - 0.5F * d[2], odd_b = kB * (d[3] - 0.5F * d[1]);
  v[0] = d[0] - 2.5F * d[2] + d[4];
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = d[1] - 2.5F * d[3] + d[5];
}

template <int Tile>
WINDROW_INLINE void output_line(const Vector* m, Vector* y) {
  const Vector sum_a = m[1] + m[2], sum_b = m[3] + m[4];
  const Vector odd_a = kA * (m[1] - m[2]), odd_b = kB * (m[3] - m[4]);
  y[0] = m[0] + sum_a + sum_b;
  if constexpr (Tile == 2) {
    y[1] = odd_a + odd_b + m[5];
  } else {
    y[1] = odd_a + odd_b;
    y[2] = 0.5F * sum_a + 2 * sum_b;
    y[3] = 0.5F * odd_a + 2 * odd_b + m[5];
  }
}

template <int Tile>
WINDROW_INLINE void gradient_line(const Vector* y, Vector* m) {
  Vector even_a = y[0], even_b = y[0], odd_a = y[1], odd_b = y[1];
  if constexpr (Tile == 4) {
    even_a = y[0] + 0.5F * y[2];
    even_b = y[0] + 2 * y[2];
    odd_a = y[1] + 0.5F * y[3];
    odd_b = y[1] + 2 * y[3];
  }
  m[0] = y[0];
  m[1] = even_a + kA * odd_a;
  m[2] = even_a - kA * odd_a;
  m[3] = even_b + kB * odd_b;
  m[4] = even_b - kB * odd_b;
  m[5] = y[Tile - 1];
}

// Each point's row of G is divided by the product of its distances to the others: 1, -3/2 or 6.
template <int Taps>
WINDROW_INLINE void filter_line(const Vector* g, Vector* u) {
  constexpr float kOfA = -2.0F / 3, kOfB = 1.0F / 6;
  Vector even_a = g[0] + 0.5F * g[2], even_b = g[0] + 2 * g[2], odd_a = g[1], odd_b = g[1];
  if constexpr (Taps == 5) {
    even_a = even_a + 0.25F * g[4];
    even_b = even_b + 4 * g[4];
    odd_a = g[1] + 0.5F * g[3];
    odd_b = g[1] + 2 * g[3];
  }
  u[0] = g[0];
  u[1] = kOfA * (even_a + kA * odd_a);
  u[2] = kOfA * (even_a - kA * odd_a);
  u[3] = kOfB * (even_b + kB * odd_b);
  u[4] = kOfB * (even_b - kB * odd_b);
  u[5] = g[Taps - 1];
}

template <int Taps>
WINDROW_INLINE void filter_gradient_line(const Vector* u, Vector* g) {
  constexpr float kOfA = -2.0F / 3, kOfB = 1.0F / 6;
  const Vector sum_a = kOfA * (u[1] + u[2]), odd_a = kOfA * kA * (u[1] - u[2]);
  const Vector sum_b = kOfB * (u[3] + u[4]), odd_b = kOfB * kB * (u[3] - u[4]);
  g[0] = u[0] + sum_a + sum_b;
  g[1] = odd_a + odd_b;
  g[2] = 0.5F * sum_a + 2 * sum_b;
  if constexpr (Taps == 3) {
    g[2] = g[2] + u[5];
  } else {
    g[3] = 0.5F * odd_a + 2 * odd_b;
    g[4] = 0.25F * sum_a + 4 * sum_b + u[5];
  }
}

// A line transform of `In` to `Out` values, applied to the columns and then to the rows.
// read(row, column) gives a vector, write(row, column, vector) takes one.
template <int In, int Out, class Line, class Read, class Write>
WINDROW_INLINE void both_ways(Line line, Read read, Write write) {
  Vector half[Out][In];
  for (int column = 0; column < In; ++column) {
    Vector from[In], to[Out];
    for (int row = 0; row < In; ++row) from[row] = read(row, column);
    line(from, to);
    for (int row = 0; row < Out; ++row) half[row][column] = to[row];
  }
  for (int row = 0; row < Out; ++row) {
    Vector to[Out];
    line(half[row], to);
    for (int column = 0; column < Out; ++column) write(row, column, to[column]);
  }
}

struct Place {
  std::int64_t image, row, column;  // of the tile's first output
};

Place place_of(const WinogradTiles& a, std::int64_t tile) {
  const std::int64_t across = a.width / a.tile, down = a.height / a.tile;
  const std::int64_t line = tile / across;
  return {line / down, line % down * a.tile, tile % across * a.tile};
}

alignas(64) constexpr float kZeros[kWinogradMaxChannels] = {};

template <int Tile>
void input_tiles(const WinogradTiles& a) {
  // Taps reach (taps - 1) / 2 beyond the tile, and taps + tile - 1 is 6.
  constexpr int kReach = (kWinogradWindow - Tile) / 2;
  const std::int64_t panels = a.channels / kLanes;
  for (std::int64_t t = 0; t < a.tiles; ++t) {
    const Place place = place_of(a, a.first_tile + t);
    const float* pixels[kWinogradPlanes];
    for (int i = 0; i < kWinogradWindow; ++i)
      for (int j = 0; j < kWinogradWindow; ++j) {
        const std::int64_t y = place.row - kReach + i, x = place.column - kReach + j;
        const bool inside = y >= 0 && y < a.height && x >= 0 && x < a.width;
        pixels[i * kWinogradWindow + j] =
            inside ? a.image + ((place.image * a.height + y) * a.width + x) * a.channels : kZeros;
      }
    for (std::int64_t p = 0; p < panels; ++p) {
      float* to = a.planes + p * a.panel_stride + t * kLanes;
      both_ways<kWinogradWindow, kWinogradWindow>(
          input_line,
          [&](int i, int j) { return load(pixels[i * kWinogradWindow + j] + p * kLanes); },
          [&](int i, int j, const Vector& v) {
            store(to + (i * kWinogradWindow + j) * a.plane_stride, v);
          });
    }
  }
}

template <int Tile>
void output_tiles(const WinogradTiles& a) {
  const std::int64_t panels = a.channels / kLanes;
  for (std::int64_t t = 0; t < a.tiles; ++t) {
    const Place place = place_of(a, a.first_tile + t);
    float* tile =
        a.output + ((place.image * a.height + place.row) * a.width + place.column) * a.channels;
    for (std::int64_t p = 0; p < panels; ++p) {
      const float* from = a.planes + p * a.panel_stride + t * kLanes;
      const Vector bias = a.bias ? load(a.bias + p * kLanes) : broadcast(0);
      both_ways<kWinogradWindow, Tile>(
          output_line<Tile>,
          [&](int i, int j) { return load(from + (i * kWinogradWindow + j) * a.plane_stride); },
          [&](int i, int j, const Vector& v) {
            store(tile + (i * a.width + j) * a.channels + p * kLanes, v + bias);
          });
    }
  }
}

template <int Tile>
void gradient_tiles(const WinogradTiles& a) {
  const std::int64_t panels = a.channels / kLanes;
  for (std::int64_t t = 0; t < a.tiles; ++t) {
    const Place place = place_of(a, a.first_tile + t);
    const float* tile =
        a.image + ((place.image * a.height + place.row) * a.width + place.column) * a.channels;
    for (std::int64_t p = 0; p < panels; ++p) {
      float* to = a.planes + p * a.panel_stride + t * kLanes;
      both_ways<Tile, kWinogradWindow>(
          gradient_line<Tile>,
          [&](int i, int j) { return load(tile + (i * a.width + j) * a.channels + p * kLanes); },
          [&](int i, int j, const Vector& v) {
            store(to + (i * kWinogradWindow + j) * a.plane_stride, v);
          });
    }
  }
}

template <int Taps>
void transform_filters(const WinogradFilters& a) {
  for (std::int64_t p = 0; p < a.panels; ++p)
    for (std::int64_t r = 0; r < a.rows; ++r) {
      alignas(64) float taps[Taps * Taps][kLanes];
      const float* from = a.filters + p * kLanes * a.lane_stride + r * a.row_stride;
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        for (int k = 0; k < Taps * Taps; ++k)
          taps[a.rotated ? Taps * Taps - 1 - k : k][lane] = from[lane * a.lane_stride + k];
      float* to = a.planes + (p * a.rows + r) * kLanes;
      both_ways<Taps, kWinogradWindow>(
          filter_line<Taps>, [&](int i, int j) { return load(taps[i * Taps + j]); },
          [&](int i, int j, const Vector& v) {
            store(to + (i * kWinogradWindow + j) * a.plane_stride, v);
          });
    }
}

template <int Taps>
void filter_gradients(const WinogradFilters& a) {
  for (std::int64_t p = 0; p < a.panels; ++p)
    for (std::int64_t r = 0; r < a.rows; ++r) {
      alignas(64) float taps[Taps * Taps][kLanes];
      const float* from = a.planes + (p * a.rows + r) * kLanes;
      both_ways<kWinogradWindow, Taps>(
          filter_gradient_line<Taps>,
          [&](int i, int j) { return load(from + (i * kWinogradWindow + j) * a.plane_stride); },
          [&](int i, int j, const Vector& v) { store(taps[i * Taps + j], v); });
      float* to = a.gradient + p * kLanes * a.lane_stride + r * a.row_stride;
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        for (int k = 0; k < Taps * Taps; ++k) to[lane * a.lane_stride + k] = taps[k][lane];
    }
}

}  // namespace

void winograd_input(const WinogradTiles& a) {
  a.tile == 4 ? input_tiles<4>(a) : input_tiles<2>(a);
}

void winograd_output(const WinogradTiles& a) {
  a.tile == 4 ? output_tiles<4>(a) : output_tiles<2>(a);
}

void winograd_gradient(const WinogradTiles& a) {
  a.tile == 4 ? gradient_tiles<4>(a) : gradient_tiles<2>(a);
}

void winograd_filters(const WinogradFilters& a) {
  a.taps == 3 ? transform_filters<3>(a) : transform_filters<5>(a);
}

void winograd_filter_gradient(const WinogradFilters& a) {
  a.taps == 3 ? filter_gradients<3>(a) : filter_gradients<5>(a);
}

}  // namespace windrow::worker::WINDROW_ISA
