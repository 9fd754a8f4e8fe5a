// Time in which this process ran. A host that is suspended, a process that is stopped or swapped
// out does not hear the others meanwhile: that is no silence of theirs.
#pragma once

#include <algorithm>
#include <chrono>

namespace windrow {

class RunningClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kLongestStep{1};

  explicit RunningClock(Time real) : real_(real), running_(real) {}

  // To be asked many times a second; a longer step than kLongestStep was time without us.
  Time now(Time real) {
    running_ += std::min<Time::duration>(real - real_, kLongestStep);
    real_ = real;
    return running_;
  }
  Time now() { return now(std::chrono::steady_clock::now()); }

 private:
  Time real_, running_;
};

}  // namespace windrow
