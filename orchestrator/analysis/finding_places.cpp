#include <algorithm>
#include <limits>

#include "orchestrator/analysis/finding_checks.h"

namespace windrow::analysis {
namespace {

// Smaller is better. A cell whose loss became NaN stands behind all that have a number.
std::optional<double> badness(const Subject& subject, const Measured& cell) {
  if (cell.metric.gap == Gap::nan) return std::numeric_limits<double>::infinity();
  if (!cell.mean) return std::nullopt;
  return subject.finding.goal == protocol::Goal::minimize ? *cell.mean : -*cell.mean;
}

// The other cells by rank, and what is not known of them.
struct Field {
  std::vector<const Measured*> ranked;  // best first
  std::vector<const Measured*> unknown;
  bool open = false;
  std::string note;
};

template <class Keep>
Field field_of(const Subject& subject, const Keep& keep) {
  Field field;
  for (const Measured& cell : subject.cells) {
    if (!keep(cell)) continue;
    if (badness(subject, cell)) {
      field.ranked.push_back(&cell);
      continue;
    }
    field.unknown.push_back(&cell);
    field.open |= cell.metric.gap == Gap::open;
    field.note += (field.note.empty() ? "" : "; ") + cell.name + ": " + cell.metric.note;
  }
  std::ranges::stable_sort(field.ranked, {},
                           [&](const Measured* cell) { return *badness(subject, *cell); });
  return field;
}

void add_note(Check& check, const std::string& text) {
  if (!text.empty()) check.note += (check.note.empty() ? "" : "; ") + text;
}

Check check_against(const Subject& subject, const Measured& mine, const Field& others) {
  const auto own = badness(subject, mine);
  if (!own) return missing(mine.name, subject.metric, mine);
  if (others.ranked.empty())
    return unknown(mine.name, subject.metric,
                   others.note.empty() ? "there are no other cells" : others.note, others.open);
  const Measured& best = *others.ranked.front();
  Check check = comparison(mine.name, subject, mine, best);
  const double rival = *badness(subject, best);
  check.holds = *own < rival;
  add_note(check, "best other: " + best.name);
  if (*own == rival) add_note(check, "tied");
  if (*check.holds && !others.unknown.empty()) {
    check.holds.reset();
    check.open = others.open;
    add_note(check, others.note);
  }
  return check;
}

}  // namespace

std::vector<Check> check_best(const Subject& subject) {
  const sweeps::Finding& finding = subject.finding;
  const Field others = field_of(subject, [&](const Measured& cell) {
    return std::ranges::none_of(finding.values, [&](const sweeps::Json& value) {
      return matches(*cell.cell, {{finding.parameter, value}});
    });
  });
  std::vector<Check> checks;
  for (const sweeps::Json& value : finding.values) {
    const auto mine = subject.matching({{finding.parameter, value}});
    const std::string what = finding.parameter + "=" + text_of(value);
    if (mine.empty()) checks.push_back(unknown(what, subject.metric, "no cell has it"));
    for (const Measured* cell : mine) checks.push_back(check_against(subject, *cell, others));
  }
  return checks;
}

namespace {

// The place from the wanted end is somewhere from `least` to `least` plus the cells not known.
Check check_place(const Subject& subject, const Measured& mine) {
  const auto own = badness(subject, mine);
  if (!own) return missing(mine.name, subject.metric, mine);
  const bool from_first = subject.finding.first > 0;
  const int wanted = from_first ? subject.finding.first : subject.finding.last;
  Field others = field_of(subject, [&](const Measured& cell) { return &cell != &mine; });
  if (!from_first) std::ranges::reverse(others.ranked);
  const auto nearer_the_end = [&](const Measured* cell) {
    const double other = *badness(subject, *cell);
    return from_first ? other < *own : other > *own;
  };
  const int least = 1 + static_cast<int>(std::ranges::count_if(others.ranked, nearer_the_end));
  const int most = least + static_cast<int>(others.unknown.size());
  const auto boundary = static_cast<std::size_t>(wanted) - 1;  // the first that must stay behind
  Check check = boundary < others.ranked.size()
                    ? comparison(mine.name, subject, mine, *others.ranked[boundary])
                    : unknown(mine.name, subject.metric, "");
  check.value = mine.mean;
  const auto cells = others.ranked.size() + others.unknown.size() + 1;
  add_note(check, "place " + std::to_string(least) +
                      (most > least ? " to " + std::to_string(most) : "") + " of " +
                      std::to_string(cells) + (from_first ? "" : " from the end"));
  if (boundary < others.ranked.size()) add_note(check, "against " + others.ranked[boundary]->name);
  if (most <= wanted || least > wanted) {
    check.holds = most <= wanted;
  } else {
    check.open = others.open;
    add_note(check, others.note);
  }
  return check;
}

}  // namespace

std::vector<Check> check_rank(const Subject& subject) {
  std::vector<Check> checks;
  for (const Measured* cell : subject.matching(subject.finding.cell))
    checks.push_back(check_place(subject, *cell));
  return checks;
}

}  // namespace windrow::analysis
