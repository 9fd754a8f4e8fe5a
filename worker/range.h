// A range of indices, begin .. end-1.
#pragma once

#include <cstdint>

namespace windrow::worker {

struct Range {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

// Part `part` of `count` indices that are cut into `parts` contiguous ranges, whose sizes differ by
// one at most.
constexpr Range part_of(std::int64_t count, std::int64_t parts, std::int64_t part) {
  return {count * part / parts, count * (part + 1) / parts};
}

}  // namespace windrow::worker
