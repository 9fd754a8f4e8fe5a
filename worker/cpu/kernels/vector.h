// 16 float lanes as as many hardware vectors as that takes. Only for the files that are compiled
// once for each instruction set: they use no library templates, of which the linker would keep one
// instance for all.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "worker/cpu/kernels/kernels.h"

namespace windrow::worker::WINDROW_ISA {

#if defined(__AVX512F__)
inline constexpr int kWidth = 16;
#elif defined(__AVX2__)
inline constexpr int kWidth = 8;
#else
inline constexpr int kWidth = 4;
#endif
inline constexpr int kParts = static_cast<int>(kLanes) / kWidth;

typedef float Part __attribute__((vector_size(kWidth * sizeof(float)), may_alias));

struct Vector {
  Part part[kParts];
};

#define WINDROW_INLINE inline __attribute__((always_inline))

WINDROW_INLINE Vector load(const float* from) {
  Vector v;
  for (int p = 0; p < kParts; ++p) v.part[p] = *reinterpret_cast<const Part*>(from + p * kWidth);
  return v;
}

WINDROW_INLINE void store(float* to, const Vector& v) {
  for (int p = 0; p < kParts; ++p) *reinterpret_cast<Part*>(to + p * kWidth) = v.part[p];
}

WINDROW_INLINE Vector broadcast(float value) {
  Vector v;
  for (int p = 0; p < kParts; ++p) v.part[p] = value - Part{};
  return v;
}

WINDROW_INLINE void add_product(Vector& sum, const Vector& a, const Vector& b) {
  for (int p = 0; p < kParts; ++p) sum.part[p] += a.part[p] * b.part[p];
}

WINDROW_INLINE Vector operator+(const Vector& a, const Vector& b) {
  Vector sum;
  for (int p = 0; p < kParts; ++p) sum.part[p] = a.part[p] + b.part[p];
  return sum;
}

WINDROW_INLINE Vector operator-(const Vector& a, const Vector& b) {
  Vector difference;
  for (int p = 0; p < kParts; ++p) difference.part[p] = a.part[p] - b.part[p];
  return difference;
}

WINDROW_INLINE Vector operator*(float factor, const Vector& a) {
  Vector product;
  for (int p = 0; p < kParts; ++p) product.part[p] = factor * a.part[p];
  return product;
}

// A bit a lane, the first lane in the lowest: whether it is above 0.
WINDROW_INLINE std::uint16_t lanes_above_zero(const Vector& v) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(v.part[0], _mm512_setzero_ps(), _CMP_GT_OQ);
#elif defined(__AVX2__)
  const auto bits = [](Part p) {
    return static_cast<unsigned>(
        _mm256_movemask_ps(_mm256_cmp_ps(p, _mm256_setzero_ps(), _CMP_GT_OQ)));
  };
  return static_cast<std::uint16_t>(bits(v.part[0]) | bits(v.part[1]) << 8);
#else
  unsigned bits = 0;
  for (int lane = 0; lane < kLanes; ++lane)
    bits |= static_cast<unsigned>(v.part[lane / kWidth][lane % kWidth] > 0) << lane;
  return static_cast<std::uint16_t>(bits);
#endif
}

// The vector with the lanes at 0 whose bit is 0.
WINDROW_INLINE Vector only_lanes(std::uint16_t bits, const Vector& v) {
#if defined(__AVX512F__)
  return {_mm512_maskz_mov_ps(bits, v.part[0])};
#else
  typedef std::int32_t Bits __attribute__((vector_size(kWidth * sizeof(std::int32_t))));
  Vector kept;
  for (int p = 0; p < kParts; ++p) {
    Bits lane;
    for (int i = 0; i < kWidth; ++i) lane[i] = 1 << (p * kWidth + i);
    kept.part[p] = (lane & static_cast<std::int32_t>(bits)) == lane ? v.part[p] : Part{};
  }
  return kept;
#endif
}

typedef float Four __attribute__((vector_size(16)));

// Sums of lanes are taken in one order at every width: in each quarter of four lanes the pairs
// (0, 1) and (2, 3), then both; then quarters 0 and 2, and 1 and 3; then both.

// One vector of the four quarters' sums over lanes, from four vectors: [quarter][vector].
WINDROW_INLINE Vector sums_of_quarters(const Vector& a, const Vector& b, const Vector& c,
                                       const Vector& d) {
  // The indices within a quarter, for as many quarters as a part has.
#if defined(__AVX512F__)
#define WINDROW_QUARTERS(p, q, r, s)                                                            \
  p, q, r, s, (p) + 4, (q) + 4, (r) + 4, (s) + 4, (p) + 8, (q) + 8, (r) + 8, (s) + 8, (p) + 12, \
      (q) + 12, (r) + 12, (s) + 12
#elif defined(__AVX2__)
#define WINDROW_QUARTERS(p, q, r, s) p, q, r, s, (p) + 4, (q) + 4, (r) + 4, (s) + 4
#else
#define WINDROW_QUARTERS(p, q, r, s) p, q, r, s
#endif
  Vector v;
  for (int i = 0; i < kParts; ++i) {
    const Part ab =
        __builtin_shufflevector(a.part[i], b.part[i], WINDROW_QUARTERS(0, kWidth, 2, kWidth + 2)) +
        __builtin_shufflevector(a.part[i], b.part[i],
                                WINDROW_QUARTERS(1, kWidth + 1, 3, kWidth + 3));
    const Part cd =
        __builtin_shufflevector(c.part[i], d.part[i], WINDROW_QUARTERS(0, kWidth, 2, kWidth + 2)) +
        __builtin_shufflevector(c.part[i], d.part[i],
                                WINDROW_QUARTERS(1, kWidth + 1, 3, kWidth + 3));
    // ab: a01, b01, a23, b23
    v.part[i] = __builtin_shufflevector(ab, cd, WINDROW_QUARTERS(0, 1, kWidth, kWidth + 1)) +
                __builtin_shufflevector(ab, cd, WINDROW_QUARTERS(2, 3, kWidth + 2, kWidth + 3));
  }
#undef WINDROW_QUARTERS
  return v;
}

// sums[i] = the sum of v[i]'s lanes, for i from 0 to 3.
WINDROW_INLINE void sums_of_lanes(const Vector* v, float* sums) {
  const Vector quarters = sums_of_quarters(v[0], v[1], v[2], v[3]);
#if defined(__AVX512F__)
  typedef float Eight __attribute__((vector_size(32)));
  const Part q = quarters.part[0];
  const Eight e = __builtin_shufflevector(q, q, 0, 1, 2, 3, 4, 5, 6, 7) +
                  __builtin_shufflevector(q, q, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
  const Part e = quarters.part[0] + quarters.part[1];
#endif
#if defined(__AVX2__)
  const Four f =
      __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
#else
  const Four f = (quarters.part[0] + quarters.part[2]) + (quarters.part[1] + quarters.part[3]);
#endif
  for (int i = 0; i < 4; ++i) sums[i] = f[i];
}

}  // namespace windrow::worker::WINDROW_ISA
