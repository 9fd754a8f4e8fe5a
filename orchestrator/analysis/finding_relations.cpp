#include <algorithm>
#include <cstdio>

#include "orchestrator/analysis/finding_checks.h"

namespace windrow::analysis {
namespace {

// Cells that agree in all parameters but the finding's, in the order of its values.
std::vector<std::vector<const Measured*>> groups_of(const Subject& subject) {
  const sweeps::Finding& finding = subject.finding;
  std::vector<sweeps::Json> rests;
  std::vector<std::vector<const Measured*>> groups;
  for (const Measured& cell : subject.cells) {
    sweeps::Json rest = cell.cell->parameters;
    if (rest.erase(finding.parameter) == 0) continue;
    const auto known = std::ranges::find(rests, rest);
    const auto index = static_cast<std::size_t>(known - rests.begin());
    if (known == rests.end()) {
      rests.push_back(std::move(rest));
      groups.emplace_back();
    }
    groups[index].push_back(&cell);
  }
  for (auto& group : groups)
    std::ranges::stable_sort(group, {}, [&](const Measured* cell) -> const sweeps::Json& {
      return cell->cell->parameters.at(finding.parameter);
    });
  return groups;
}

const Measured* find_value(const std::vector<const Measured*>& group, const std::string& parameter,
                           const sweeps::Json& value) {
  for (const Measured* cell : group)
    if (matches(*cell->cell, {{parameter, value}})) return cell;
  return nullptr;
}

std::string group_name(const Subject& subject, const Measured& cell) {
  std::string name = name_of(*cell.cell, subject.results.varying, subject.finding.parameter);
  return name.empty() ? subject.finding.parameter : name;
}

std::string value_name(const Subject& subject, const Measured& cell) {
  return text_of(cell.cell->parameters.at(subject.finding.parameter));
}

std::string plain_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::vector<Check> check_compare(const Subject& subject) {
  const sweeps::Finding& finding = subject.finding;
  const std::string pair = finding.parameter + "=" + text_of(*finding.higher) + " and " +
                           finding.parameter + "=" + text_of(*finding.lower);
  std::vector<Check> checks;
  for (const auto& group : groups_of(subject)) {
    const Measured* higher = find_value(group, finding.parameter, *finding.higher);
    const Measured* lower = find_value(group, finding.parameter, *finding.lower);
    if (!higher || !lower) continue;
    const std::string what = group_name(subject, *higher);
    if (!higher->mean || !lower->mean) {
      checks.push_back(missing(what, subject.metric, higher->mean ? *lower : *higher));
      continue;
    }
    checks.push_back(comparison(what, subject, *higher, *lower));
    checks.back().holds = *higher->mean > *lower->mean;
  }
  if (checks.empty())
    checks.push_back(unknown(pair, subject.metric, "no two cells differ in that alone"));
  return checks;
}

namespace {

// All steps from one value to the next must go the finding's way. The p is that of the weakest
// step: only if each step is beyond chance is the trend (an intersection-union test).
Check check_steps(const Subject& subject, const std::vector<const Measured*>& group) {
  const std::string what = group_name(subject, *group.front());
  const bool rising = subject.finding.rising;
  Check check = unknown(what, subject.metric, "");
  int wrong = 0;
  double weakest = 0;
  std::string steps;
  const Measured* gap = nullptr;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const Measured& cell = *group[i];
    steps += (i ? ", " : "") + value_name(subject, cell) + ": " +
             (cell.mean ? plain_number(*cell.mean) : "?");
    if (!cell.mean) gap = gap && gap->metric.gap == Gap::open ? gap : &cell;
    if (i == 0 || !cell.mean || !group[i - 1]->mean) continue;
    const double step = *cell.mean - *group[i - 1]->mean;
    wrong += rising ? step <= 0 : step >= 0;
    const Estimate paired = paired_difference(cell.metric.values, group[i - 1]->metric.values);
    weakest = std::max(weakest, paired.p.value_or(1));
  }
  if (group.front()->mean && group.back()->mean) {
    check = comparison(what, subject, *group.back(), *group.front());
    if (check.difference.p) check.difference.p = weakest;
  }
  check.note = steps + (check.note.empty() ? "" : "; " + check.note);
  if (wrong > 0 || !gap) {
    check.holds = wrong == 0;
    if (wrong > 0)
      check.note += "; " + std::to_string(wrong) + " of " + std::to_string(group.size() - 1) +
                    " steps not " + (rising ? "rising" : "falling");
  } else {
    check.open = gap->metric.gap == Gap::open;
    check.note += "; " + gap->name + ": " + gap->metric.note;
  }
  return check;
}

}  // namespace

std::vector<Check> check_trend(const Subject& subject) {
  const sweeps::Finding& finding = subject.finding;
  std::vector<Check> checks;
  for (auto& group : groups_of(subject)) {
    if (!finding.values.empty())
      std::erase_if(group, [&](const Measured* cell) {
        const auto& value = cell->cell->parameters.at(finding.parameter);
        return std::ranges::find(finding.values, value) == finding.values.end();
      });
    if (group.size() > 1) checks.push_back(check_steps(subject, group));
  }
  if (checks.empty())
    checks.push_back(
        unknown(finding.parameter, subject.metric, "no two cells differ in that alone"));
  return checks;
}

namespace {

// Every cell of one value must lie below every cell of the next.
Check check_pair(const Subject& subject, const sweeps::Json& low, const sweeps::Json& high) {
  const std::string& parameter = subject.finding.parameter;
  const std::string what = text_of(low) + " < " + text_of(high);
  const auto below = subject.matching({{parameter, low}});
  const auto above = subject.matching({{parameter, high}});
  if (below.empty() || above.empty())
    return unknown(what, subject.metric,
                   "no cell has " + parameter + "=" + text_of(below.empty() ? low : high));
  const Measured *highest = nullptr, *lowest = nullptr, *gap = nullptr;
  for (const Measured* cell : below) {
    if (!cell->mean)
      gap = cell;
    else if (!highest || *cell->mean > *highest->mean)
      highest = cell;
  }
  for (const Measured* cell : above) {
    if (!cell->mean)
      gap = cell;
    else if (!lowest || *cell->mean < *lowest->mean)
      lowest = cell;
  }
  if (!highest || !lowest) return missing(what, subject.metric, *gap);
  Check check = comparison(what, subject, *highest, *lowest);
  check.holds = *highest->mean < *lowest->mean;
  if (*check.holds && gap) return missing(what, subject.metric, *gap);
  return check;
}

}  // namespace

std::vector<Check> check_order(const Subject& subject) {
  const auto& values = subject.finding.values;
  std::vector<Check> checks;
  for (std::size_t i = 1; i < values.size(); ++i)
    checks.push_back(check_pair(subject, values[i - 1], values[i]));
  return checks;
}

}  // namespace windrow::analysis
