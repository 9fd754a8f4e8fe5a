// The layout in memory that the image kernels take: N, H, W, C.
#pragma once

#include <ATen/core/Tensor.h>

namespace windrow::worker {

inline constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// An undefined tensor stays one.
inline at::Tensor channels_last(const at::Tensor& x) {
  return x.defined() ? x.contiguous(kChannelsLast) : x;
}

}  // namespace windrow::worker
