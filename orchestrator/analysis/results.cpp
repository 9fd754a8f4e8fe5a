#include "orchestrator/analysis/results.h"

#include <algorithm>
#include <set>

namespace windrow::analysis {
namespace {

using State = TrialResult::State;

int count(const CellResult& cell, State state) {
  return static_cast<int>(std::ranges::count(cell.trials, state, &TrialResult::state));
}

void add_note(std::string& note, const std::string& text) {
  if (text.empty()) return;
  note += (note.empty() ? "" : "; ") + text;
}

}  // namespace

int failed_seeds(const CellResult& cell) {
  return count(cell, State::failed);
}

int seeds_without(const CellResult& cell, const std::string& metric) {
  return static_cast<int>(std::ranges::count_if(cell.trials, [&](const TrialResult& trial) {
    return trial.state == State::finished && !trial.metrics.contains(metric);
  }));
}

std::string failure_kinds(const CellResult& cell) {
  std::set<std::string> kinds;
  for (const TrialResult& trial : cell.trials)
    if (trial.state == State::failed) kinds.insert(trial.failure);
  std::string names;
  for (const std::string& kind : kinds) names += (names.empty() ? "" : ", ") + kind;
  return names;
}

std::string failures_of(const CellResult& cell) {
  if (failed_seeds(cell) == 0) return "";
  return std::to_string(failed_seeds(cell)) + " of " + std::to_string(cell.trials.size()) +
         " failed: " + failure_kinds(cell);
}

MetricOfCell metric_of(const CellResult& cell, const std::string& metric) {
  MetricOfCell out;
  const int without = seeds_without(cell, metric);
  bool diverged = false;
  for (const TrialResult& trial : cell.trials) {
    diverged |= trial.state == State::failed && trial.failure == "nan";
    if (trial.state != State::finished) continue;
    const auto value = trial.metrics.find(metric);
    if (value != trial.metrics.end()) out.values.emplace(trial.seed, value->second);
  }
  const std::string total = std::to_string(cell.trials.size());
  add_note(out.note, failures_of(cell));
  if (without > 0)
    add_note(out.note,
             std::to_string(without) + " of " + total + " without a number for " + metric);
  if (const int open = count(cell, State::open); open > 0) {
    add_note(out.note, std::to_string(open) + " of " + total + " not over");
    out.gap = Gap::open;
  } else if (out.values.empty()) {
    out.gap = without > 0 ? Gap::no_number : diverged ? Gap::nan : Gap::failed;
  }
  return out;
}

bool matches(const CellResult& cell, const sweeps::Json& parameters) {
  return std::ranges::all_of(parameters.items(), [&](const auto& item) {
    const auto found = cell.parameters.find(item.key());
    return found != cell.parameters.end() && *found == item.value();
  });
}

std::string text_of(const sweeps::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string name_of(const CellResult& cell, const std::vector<std::string>& varying,
                    const std::string& except) {
  std::string name;
  for (const std::string& key : varying) {
    const auto value = cell.parameters.find(key);
    if (key == except || value == cell.parameters.end()) continue;
    name += (name.empty() ? "" : " ") + key + "=" + text_of(*value);
  }
  return name;
}

std::vector<std::string> telling_parameters(const std::vector<CellResult>& cells,
                                            const std::vector<std::string>& varying) {
  std::vector<std::string> telling;
  for (const std::string& key : varying) {
    telling.push_back(key);
    std::set<std::string> names;
    for (const CellResult& cell : cells) names.insert(name_of(cell, telling));
    if (names.size() == cells.size()) break;
  }
  return telling;
}

}  // namespace windrow::analysis
