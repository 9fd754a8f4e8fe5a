// The progress of a run: a block on a terminal, a line at times elsewhere.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "orchestrator/console/console.h"
#include "orchestrator/coordinator/coordinator.h"

namespace windrow {

// "2 h 05 min", "3 min 20 s", "12 s".
std::string format_duration(double seconds);

// One line: trials done, failed, running, epochs per second, time left.
std::string progress_line(const RunView& view, double epochs_per_second);

// The line, how much is done, the best trial so far (in words; "" = none), then a line a slot (at
// most `most_slots`; the rest is counted).
std::vector<std::string> progress_block(const RunView& view, double epochs_per_second,
                                        const std::string& best = "", std::size_t most_slots = 16);

class Progress {
 public:
  explicit Progress(Console& console) : console_(console) {}

  // Draws if it is time to. The others are asked for only then.
  void tick(Clock::time_point now, const std::function<RunView()>& view,
            const std::function<std::string()>& best);

 private:
  void draw(Clock::time_point now, const RunView& view, const std::string& best);
  double epochs_per_second(Clock::time_point now, const RunView& view);

  Console& console_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point next_{};
  std::deque<std::pair<Clock::time_point, std::int64_t>> window_;  // of the last seconds
};

}  // namespace windrow
