// Colours that colour-blind people tell apart too: Okabe and Ito, "Color Universal Design" (2008),
// with grey in place of the yellow, which is too pale for lines on white.
#pragma once

#include <array>
#include <cstddef>

namespace windrow::report {

inline constexpr auto kPalette = std::to_array<const char*>(
    {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"});

inline const char* colour(std::size_t index) {
  return kPalette[index % kPalette.size()];
}

}  // namespace windrow::report
