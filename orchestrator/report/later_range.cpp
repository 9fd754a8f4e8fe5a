#include "orchestrator/report/later_range.h"

#include <algorithm>
#include <cmath>

namespace windrow::report {
namespace {

constexpr std::size_t kSomeLength = 5;  // points
constexpr double kMuchShorter = 1.5;

enum class Of { all, later_means };

// On the axis: logarithms of what a logarithmic one shows.
std::optional<Range> on_axis(const std::vector<Line>& lines, bool is_log, Of what) {
  Range range{INFINITY, -INFINITY};
  const auto take = [&](double value) {
    if (!std::isfinite(value) || (is_log && value <= 0)) return;
    const double place = is_log ? std::log10(value) : value;
    range.least = std::min(range.least, place);
    range.most = std::max(range.most, place);
  };
  for (const Line& line : lines) {
    const std::size_t count = line.points.size();
    const bool has_first = what == Of::later_means && count >= kSomeLength;
    const std::size_t first = has_first ? (count + 9) / 10 : 0;
    for (std::size_t i = first; i < count; ++i) {
      const Point& p = line.points[i];
      take(p.y);
      if (what == Of::later_means) continue;
      take(p.y + p.ci95.value_or(0));
      if (!is_log) take(p.y - p.ci95.value_or(0));
    }
  }
  if (range.least > range.most) return std::nullopt;
  return range;
}

std::optional<Range> widened(std::optional<Range> range, bool is_log) {
  if (!range) return std::nullopt;
  const double margin = is_log ? std::log10(1.1) : 0.03 * (range->most - range->least);
  const Range wide{range->least - margin, range->most + margin};
  return is_log ? Range{std::pow(10.0, wide.least), std::pow(10.0, wide.most)} : wide;
}

}  // namespace

std::optional<Range> whole_range(const std::vector<Line>& lines, bool is_log) {
  return widened(on_axis(lines, is_log, Of::all), is_log);
}

std::optional<Range> later_range(const std::vector<Line>& lines, bool is_log) {
  if (std::ranges::none_of(lines, [](const Line& l) { return l.points.size() >= kSomeLength; }))
    return std::nullopt;
  const auto whole = on_axis(lines, is_log, Of::all);
  const auto later = on_axis(lines, is_log, Of::later_means);
  if (!whole || !later || later->least == later->most) return std::nullopt;
  if (whole->most - whole->least < kMuchShorter * (later->most - later->least)) return std::nullopt;
  return widened(later, is_log);
}

bool is_shown(const Point& p, const std::optional<Range>& range) {
  return p.ci95 && (!range || *p.ci95 <= (range->most - range->least) / 2);
}

}  // namespace windrow::report
