// Which part of the y axis learning curves are read in.
#pragma once

#include <optional>
#include <vector>

#include "orchestrator/report/drawing.h"

namespace windrow::report {

// All values and their intervals, a little wider; nullopt where there is none (on a logarithmic
// axis: none above 0).
std::optional<Range> whole_range(const std::vector<Line>& lines, bool is_log);

// The lines without their first tenth (of those that have some length) and without intervals, where
// that makes the axis much shorter: a first epoch far above the rest, or an interval from two
// seeds, presses all that follows together.
std::optional<Range> later_range(const std::vector<Line>& lines, bool is_log);

// Whether a point's interval is drawn: one that is wider than the axis would cover all lines.
bool is_shown(const Point& p, const std::optional<Range>& range);

}  // namespace windrow::report
