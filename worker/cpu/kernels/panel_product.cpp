// Matrix products into panels of 16 channels, in register tiles; and the table of this instruction
// set's image kernels.
#include "worker/cpu/kernels/image_kernels.h"
#include "worker/cpu/kernels/vector.h"

namespace windrow::worker {
namespace WINDROW_ISA {

void winograd_input(const WinogradTiles& a);
void winograd_output(const WinogradTiles& a);
void winograd_gradient(const WinogradTiles& a);
void winograd_filters(const WinogradFilters& a);
void winograd_filter_gradient(const WinogradFilters& a);
void relu_max_pool(const ReluMaxPool& a);
void relu_max_pool_gradient(const ReluMaxPool& a);
void batch_norm_sums(const BatchNormPass& a);
void batch_norm_affine(const BatchNormPass& a);
void batch_norm_gradient_sums(const BatchNormPass& a);
void batch_norm_gradient(const BatchNormPass& a);
void dropout(const Dropout& a);

namespace {

// Rows and panels of a tile that keeps its sums in the registers, and the rows of one that is a
// single panel wide.
#if defined(__AVX512F__)
constexpr int kTileRows = 8, kTilePanels = 2, kNarrowRows = 16;
#elif defined(__AVX2__)
constexpr int kTileRows = 4, kTilePanels = 1, kNarrowRows = 4;
#else
constexpr int kTileRows = 2, kTilePanels = 1, kNarrowRows = 2;
#endif

template <int Rows, int Panels>
WINDROW_INLINE void product_tile(const PanelProduct& p, std::int64_t row, std::int64_t panel) {
  float* c = p.c + panel * p.c_panel + row * p.c_row;
  Vector sums[Rows][Panels];
  for (int n = 0; n < Panels; ++n) {
    const Vector start =
        p.start ? load(p.start + (panel + n) * PanelProduct::kLanesOfPanel) : broadcast(0);
    for (int r = 0; r < Rows; ++r)
      sums[r][n] = p.add ? load(c + n * p.c_panel + r * p.c_row) : start;
  }
  const std::int64_t a_row = p.a_row, a_inner = p.a_inner, b_step = p.b_step;
  const float* b = p.b + panel * p.b_panel;
  const float* b_next = b + p.b_panel;
  for (std::int64_t o = 0; o < p.outer; ++o) {
    const float* a = p.a + row * a_row + o * p.a_outer;
    for (std::int64_t i = p.inner; i > 0; --i, a += a_inner, b += b_step, b_next += b_step) {
      Vector right[Panels];
      right[0] = load(b);
      if constexpr (Panels > 1) right[1] = load(b_next);
      for (int r = 0; r < Rows; ++r) {
        const Vector left = broadcast(a[r * a_row]);
        for (int n = 0; n < Panels; ++n) add_product(sums[r][n], left, right[n]);
      }
    }
  }
  for (int n = 0; n < Panels; ++n)
    for (int r = 0; r < Rows; ++r) store(c + n * p.c_panel + r * p.c_row, sums[r][n]);
}

}  // namespace

void panel_product(const PanelProduct& p) {
  std::int64_t panel = 0;
  for (; panel + kTilePanels <= p.panels; panel += kTilePanels)
    for (std::int64_t row = 0; row < p.rows; row += kTileRows)
      product_tile<kTileRows, kTilePanels>(p, row, panel);
  if constexpr (kTilePanels > 1)
    for (; panel < p.panels; ++panel)
      for (std::int64_t row = 0; row < p.rows; row += kNarrowRows)
        product_tile<kNarrowRows, 1>(p, row, panel);
}

}  // namespace WINDROW_ISA

#define WINDROW_JOIN2(a, b) a##b
#define WINDROW_JOIN(a, b) WINDROW_JOIN2(a, b)

extern const ImageKernels WINDROW_JOIN(kImageKernels_, WINDROW_ISA);
const ImageKernels WINDROW_JOIN(kImageKernels_, WINDROW_ISA) = {
    WINDROW_ISA::winograd_input,
    WINDROW_ISA::winograd_output,
    WINDROW_ISA::winograd_gradient,
    WINDROW_ISA::winograd_filters,
    WINDROW_ISA::winograd_filter_gradient,
    WINDROW_ISA::panel_product,
    WINDROW_ISA::relu_max_pool,
    WINDROW_ISA::relu_max_pool_gradient,
    WINDROW_ISA::batch_norm_sums,
    WINDROW_ISA::batch_norm_affine,
    WINDROW_ISA::batch_norm_gradient_sums,
    WINDROW_ISA::batch_norm_gradient,
    WINDROW_ISA::dropout,
};

}  // namespace windrow::worker
