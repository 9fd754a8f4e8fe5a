// 16 float lanes as as many hardware vectors as that takes. Only for the files that are compiled
// once for each instruction set: they use no library templates, of which the linker would keep one
// instance for all.
#pragma once

#include "worker/kernels/kernels.h"

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

// Lanes i, i + 4, i + 8 and i + 12 first, then what remains in pairs: one order at every width.
WINDROW_INLINE float sum_of_lanes(const Vector& v) {
  typedef float Four __attribute__((vector_size(16)));
#if defined(__AVX512F__)
  typedef float Eight __attribute__((vector_size(32)));
  const Eight low = __builtin_shufflevector(v.part[0], v.part[0], 0, 1, 2, 3, 4, 5, 6, 7);
  const Eight high = __builtin_shufflevector(v.part[0], v.part[0], 8, 9, 10, 11, 12, 13, 14, 15);
  const Eight e = low + high;
#elif defined(__AVX2__)
  const Part e = v.part[0] + v.part[1];
#endif
#if defined(__AVX2__)
  const Four f =
      __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
#else
  const Four f = (v.part[0] + v.part[2]) + (v.part[1] + v.part[3]);
#endif
  const Four pairs = f + __builtin_shufflevector(f, f, 2, 3, 0, 1);
  return pairs[0] + pairs[1];
}

}  // namespace windrow::worker::WINDROW_ISA
