#include "worker/randomness.h"

#include <numeric>
#include <utility>

namespace windrow::worker {

std::vector<std::int64_t> random_order(const RandomStream& stream, std::int64_t n,
                                       std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = 0; i < count && i < n; ++i) {
    const auto pick = static_cast<std::int64_t>(
        stream.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n - i)));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(i + pick)]);
  }
  if (count < n) order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace windrow::worker
