// Helmert's transform of the items of a set, and what setnet does between two of them.
#include "worker/cpu/kernels/vector.h"

namespace windrow::worker::WINDROW_ISA {
namespace {

// The values of a feature's items between the transforms: in registers where their number N is
// known (the study's, 5), else (0) in memory.
template <int N>
class Values {
 public:
  explicit Values(float*) {}
  WINDROW_INLINE Vector get(std::int64_t i) const { return values_[i]; }
  WINDROW_INLINE void set(std::int64_t i, const Vector& v) { values_[i] = v; }

 private:
  Vector values_[N];
};

template <>
class Values<0> {
 public:
  explicit Values(float* memory) : memory_(memory) {}
  WINDROW_INLINE Vector get(std::int64_t i) const { return load(memory_ + i * kLanes); }
  WINDROW_INLINE void set(std::int64_t i, const Vector& v) { store(memory_ + i * kLanes, v); }

 private:
  float* memory_;
};

// From contrasts at `in`, downwards: value i needs the contrasts from i on. Calls put(i, value).
template <class Put>
WINDROW_INLINE void values_of(std::int64_t items, const float* scale, const float* in, float bias,
                              Put put) {
  Vector rest = load(in);
  for (Part& p : rest.part) p = p * scale[0] + bias;
#pragma GCC unroll 4
  for (std::int64_t i = items - 1; i > 0; --i) {
    Vector contrast = load(in + i * kLanes), value;
    const auto count = static_cast<float>(i);
    for (int p = 0; p < kParts; ++p) {
      contrast.part[p] *= scale[i];
      value.part[p] = rest.part[p] - contrast.part[p] * count;
      rest.part[p] += contrast.part[p];
    }
    put(i, value);
  }
  put(0, rest);
}

// To contrasts at `out`, upwards, from values that get(i) gives; they may lie there.
template <class Get>
WINDROW_INLINE void contrasts_of(std::int64_t items, const float* scale, Get get, float* out) {
  Vector sum = get(0);
#pragma GCC unroll 4
  for (std::int64_t i = 1; i < items; ++i) {
    const Vector value = get(i);
    const auto count = static_cast<float>(i);
    Vector contrast;
    for (int p = 0; p < kParts; ++p) {
      contrast.part[p] = (sum.part[p] - value.part[p] * count) * scale[i];
      sum.part[p] += value.part[p];
    }
    store(out + i * kLanes, contrast);
  }
  for (Part& p : sum.part) p *= scale[0];
  store(out, sum);
}

// Calls work(where the feature lies, its number) for each feature.
template <class Work>
WINDROW_INLINE void for_each_feature(const ContrastArguments& a, Work work) {
  for (std::int64_t f = 0; f < a.features; ++f) work(f * a.items * kLanes, f);
}

WINDROW_INLINE float bias_of(const ContrastArguments& a, std::int64_t feature) {
  return a.bias ? a.bias[feature] : 0;
}

template <int N>
void relu_items(const ContrastArguments& a) {
  const std::int64_t items = N > 0 ? N : a.items;
  for_each_feature(a, [&](std::int64_t at, std::int64_t f) {
    Values<N> values(a.out + at);
    std::uint16_t* opened = a.opened + f * items;
    values_of(items, a.scale, a.in + at, bias_of(a, f), [&](std::int64_t i, Vector v) {
      // A NaN stays one, so that the loss shows it.
      for (Part& p : v.part) p = p < 0 ? Part{} : p;
      opened[i] = lanes_above_zero(v);
      values.set(i, v);
    });
    contrasts_of(
        items, a.scale, [&](std::int64_t i) { return values.get(i); }, a.out + at);
  });
}

template <int N>
void gate_items(const ContrastArguments& a) {
  const std::int64_t items = N > 0 ? N : a.items;
  for_each_feature(a, [&](std::int64_t at, std::int64_t f) {
    Values<N> values(a.out + at);
    const std::uint16_t* open = a.open + f * items;
    values_of(items, a.scale, a.in + at, 0,
              [&](std::int64_t i, const Vector& v) { values.set(i, only_lanes(open[i], v)); });
    contrasts_of(
        items, a.scale, [&](std::int64_t i) { return values.get(i); }, a.out + at);
  });
}

}  // namespace

void to_contrasts(const ContrastArguments& a) {
  for_each_feature(a, [&](std::int64_t at, std::int64_t) {
    contrasts_of(
        a.items, a.scale, [&](std::int64_t i) { return load(a.in + at + i * kLanes); }, a.out + at);
  });
}

void from_contrasts(const ContrastArguments& a) {
  for_each_feature(a, [&](std::int64_t at, std::int64_t f) {
    values_of(a.items, a.scale, a.in + at, bias_of(a, f),
              [&](std::int64_t i, const Vector& v) { store(a.out + at + i * kLanes, v); });
  });
}

void relu_contrasts(const ContrastArguments& a) {
  return a.items == 5 ? relu_items<5>(a) : relu_items<0>(a);
}

void gate_contrasts(const ContrastArguments& a) {
  return a.items == 5 ? gate_items<5>(a) : gate_items<0>(a);
}

}  // namespace windrow::worker::WINDROW_ISA
