#include <algorithm>
#include <cmath>

#include "orchestrator/analysis/finding_checks.h"

namespace windrow::analysis {
namespace {

Check against_bound(const Subject& subject, const Measured& cell, double bound, bool below) {
  if (!cell.mean) return missing(cell.name, subject.metric, cell);
  Check check{.what = cell.name, .metric = subject.metric, .note = cell.metric.note};
  check.value = cell.mean;
  check.against = bound;
  check.holds = below ? *cell.mean < bound : *cell.mean > bound;
  BySeed distances = cell.metric.values;
  for (auto& [seed, value] : distances) value -= bound;
  check.difference = estimate(distances);
  return check;
}

Check against_number(const Subject& subject, const Measured& cell, double number) {
  if (!cell.mean) return missing(cell.name, subject.metric, cell);
  Check check{.what = cell.name, .metric = subject.metric, .note = cell.metric.note};
  check.value = cell.mean;
  check.against = number;
  check.holds = std::ranges::all_of(cell.metric.values, [&](const auto& entry) {
    return std::abs(entry.second - number) <= subject.finding.tolerance;
  });
  return check;
}

}  // namespace

std::vector<Check> check_bound(const Subject& subject) {
  const sweeps::Finding& finding = subject.finding;
  std::vector<Check> checks;
  for (const Measured* cell : subject.matching(finding.cell)) {
    if (finding.below) checks.push_back(against_bound(subject, *cell, *finding.below, true));
    if (finding.above) checks.push_back(against_bound(subject, *cell, *finding.above, false));
  }
  return checks;
}

std::vector<Check> check_equal(const Subject& subject) {
  std::vector<Check> checks;
  for (const sweeps::ExpectedValue& expected : subject.finding.expected) {
    const auto cells = subject.matching(expected.cell);
    if (cells.empty())
      checks.push_back(unknown(expected.cell.dump(), subject.metric, "there is no such cell"));
    for (const Measured* cell : cells)
      checks.push_back(against_number(subject, *cell, expected.value));
  }
  return checks;
}

namespace {

// Images of the one class taken for the other, either way.
double mistaken(const Confusion& confusion, std::size_t a, std::size_t b) {
  return confusion.counts[a][b] + confusion.counts[b][a];
}

bool is_square(const Confusion& confusion) {
  const std::size_t n = confusion.classes.size();
  return n > 0 && confusion.counts.size() == n &&
         std::ranges::all_of(confusion.counts, [n](const auto& row) { return row.size() == n; });
}

Check check_matrix(const sweeps::Finding& finding, const Confusion& confusion, std::string what) {
  const auto find = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(confusion.classes, name) -
                                    confusion.classes.begin());
  };
  const std::size_t a = find(finding.classes[0]), b = find(finding.classes[1]);
  const std::size_t n = confusion.classes.size();
  if (!is_square(confusion)) return unknown(what, "", "its confusion matrix is malformed");
  if (a == n || b == n)
    return unknown(what, "",
                   "its confusion matrix has no class " + finding.classes[a == n ? 0 : 1]);
  Check check{.what = std::move(what), .value = mistaken(confusion, a, b)};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) {
      if ((i == std::min(a, b) && j == std::max(a, b)) ||
          (check.against && mistaken(confusion, i, j) <= *check.against))
        continue;
      check.against = mistaken(confusion, i, j);
      check.note = "next: " + confusion.classes[i] + " and " + confusion.classes[j];
    }
  check.holds = !check.against || *check.value > *check.against;
  if (check.against && *check.against > *check.value)
    check.note.replace(0, 4, "more often");  // it isn't next, but before
  return check;
}

}  // namespace

std::vector<Check> check_confused(const sweeps::Finding& finding, const StudyResults& results) {
  std::vector<Check> checks;
  for (const CellResult& cell : results.cells) {
    const bool in_stage =
        finding.stage.empty() || std::ranges::find(cell.stages, finding.stage) != cell.stages.end();
    if (!in_stage || !matches(cell, finding.cell)) continue;
    for (const TrialResult& trial : cell.trials) {
      std::string what = name_of(cell, results.varying);
      if (cell.trials.size() > 1) what += " seed=" + std::to_string(trial.seed);
      if (trial.state == TrialResult::State::open)
        checks.push_back(unknown(what, "", "not over", true));
      else if (trial.state == TrialResult::State::failed)
        checks.push_back(unknown(what, "", "failed: " + trial.failure));
      else if (!trial.confusion)
        checks.push_back(unknown(what, "", "has no artefact confusion"));
      else
        checks.push_back(check_matrix(finding, *trial.confusion, what));
    }
  }
  return checks;
}

}  // namespace windrow::analysis
