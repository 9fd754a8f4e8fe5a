// The size of CIFAR-10's images.
#pragma once

#include <cstdint>

namespace windrow::worker {

inline constexpr std::int64_t kImageSide = 32;
inline constexpr std::int64_t kImagePixels = kImageSide * kImageSide;
inline constexpr std::int64_t kImageBytes = 3 * kImagePixels;  // red, green, blue

}  // namespace windrow::worker
