#include "sweeps/faults.h"

#include <algorithm>
#include <tuple>

#include "sweeps/study.h"

namespace windrow::sweeps {

void Faults::add(Place place, std::string_view key, const std::string& message) {
  std::string text = key.empty() ? message : std::string(key) + ": " + message;
  lines_.push_back({place, std::move(text), source_});
}

void Faults::add_unplaced(const Faults& other) {
  for (Line line : other.lines_) {
    line.place = {};
    lines_.push_back(std::move(line));
  }
}

void Faults::raise() const {
  if (lines_.empty()) return;
  std::vector<Line> sorted = lines_;
  std::ranges::stable_sort(sorted, {}, [](const Line& line) {
    return std::tuple(line.place.line == 0, line.place.line, line.place.column);
  });
  std::string text;
  for (const Line& line : sorted) {
    if (!text.empty()) text += '\n';
    text += line.source + ':';
    if (line.place.line > 0)
      text += std::to_string(line.place.line) + ':' + std::to_string(line.place.column) + ':';
    text += ' ' + line.text;
  }
  throw StudyError(text);
}

}  // namespace windrow::sweeps
