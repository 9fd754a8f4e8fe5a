// Between two looks at a link, which has no descriptor to wait for: the longer it is silent, the
// longer.
#pragma once

#include <algorithm>
#include <chrono>

namespace windrow {

class Backoff {
 public:
  std::chrono::microseconds wait() const { return wait_; }
  void after(bool something_came) {
    wait_ = something_came ? kShortest : std::min(kLongest, wait_ * 2);
  }

 private:
  static constexpr std::chrono::microseconds kShortest{20}, kLongest{10'000};
  std::chrono::microseconds wait_ = kShortest;
};

}  // namespace windrow
