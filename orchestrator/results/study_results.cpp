#include "orchestrator/results/study_results.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "orchestrator/results/planned_trials.h"
#include "orchestrator/results/texts.h"

namespace windrow {
namespace {

using analysis::TrialResult;
using storage::ResultTable;
using storage::Value;

// What a column of the view `trials` holds of a trial, besides its metrics.
const std::set<std::string> kOther = {"trial", "study",    "stages",  "cell", "seed",
                                      "state", "attempts", "failure", "host", "device"};

struct MetricColumn {
  std::size_t at;
  std::vector<std::string> names;
};

// The columns that are no parameter; one that has the suffix _metric is known without it too.
std::vector<MetricColumn> metric_columns(const ResultTable& trials,
                                         const sweeps::Expansion& expansion) {
  constexpr std::string_view kSuffix = "_metric";
  std::set<std::string> columns(trials.columns.begin(), trials.columns.end()), parameters;
  for (const sweeps::Cell& cell : expansion.cells)
    for (const auto& [key, value] : cell.parameters.items())
      parameters.insert(columns.contains(key + "_parameter") ? key + "_parameter" : key);
  std::vector<MetricColumn> metrics;
  for (std::size_t i = 0; i < trials.columns.size(); ++i) {
    const std::string& column = trials.columns[i];
    if (kOther.contains(column) || parameters.contains(column)) continue;
    metrics.push_back({i, {column}});
    if (column.ends_with(kSuffix))
      metrics.back().names.push_back(column.substr(0, column.size() - kSuffix.size()));
  }
  return metrics;
}

std::size_t index_of(const ResultTable& table, const std::string& column) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, column) - table.columns.begin());
}

// Where the columns stand that each trial is read from.
struct Places {
  explicit Places(const ResultTable& trials)
      : trial(index_of(trials, "trial")),
        cell(index_of(trials, "cell")),
        seed(index_of(trials, "seed")),
        state(index_of(trials, "state")),
        failure(index_of(trials, "failure")) {}
  std::size_t trial, cell, seed, state, failure;
};

TrialResult read_trial(const std::vector<Value>& row, const Places& at,
                       const std::vector<MetricColumn>& metrics) {
  using enum TrialResult::State;
  TrialResult trial;
  const std::string state = text_of(row[at.state]);
  trial.seed = std::get<std::int64_t>(row[at.seed]);
  trial.state = state == "finished" ? finished : state == "failed" ? failed : open;
  if (trial.state == failed) trial.failure = text_of(row[at.failure]);
  if (trial.state != finished) return trial;
  for (const MetricColumn& column : metrics)
    if (const auto value = number_of(row[column.at]))
      for (const std::string& name : column.names) trial.metrics[name] = *value;
  return trial;
}

// {"classes": [...], "counts": [[...]]}; nullopt: the trial has no such artefact.
std::optional<analysis::Confusion> read_confusion(storage::Reader& reader, std::int64_t trial) {
  for (const auto& [name, content] : reader.show(trial, 1).artefacts) {
    if (name != "confusion") continue;
    try {
      const auto json = sweeps::Json::parse(content);
      return analysis::Confusion{json.at("classes"), json.at("counts")};
    } catch (const sweeps::Json::exception&) {
      return analysis::Confusion{};  // of another form: malformed, not absent
    }
  }
  return std::nullopt;
}

}  // namespace

analysis::StudyResults load_results(storage::Reader& reader, const sweeps::Study& study,
                                    bool with_confusion) {
  return results_from(plan_study(study, &reader).expansion, reader.tables(study.name).trials,
                      reader, study, with_confusion);
}

analysis::StudyResults results_from(const sweeps::Expansion& expansion, const ResultTable& trials,
                                    storage::Reader& reader, const sweeps::Study& study,
                                    bool with_confusion) {
  const auto metrics = metric_columns(trials, expansion);
  const Places at(trials);
  std::unordered_map<std::string, std::vector<const std::vector<Value>*>>
      rows;  // by cell, each by seed
  for (const auto& row : trials.rows) rows[text_of(row[at.cell])].push_back(&row);
  const auto row_of = [&](const std::string& cell, std::int64_t seed) -> const std::vector<Value>* {
    const auto of_cell = rows.find(cell);
    if (of_cell == rows.end()) return nullptr;
    const auto seed_of = [&](const auto* row) { return std::get<std::int64_t>((*row)[at.seed]); };
    const auto found = std::ranges::lower_bound(of_cell->second, seed, {}, seed_of);
    return found != of_cell->second.end() && seed_of(*found) == seed ? *found : nullptr;
  };
  analysis::StudyResults results;
  for (const auto& [stage, state] : expansion.stages)
    if (state.kind != sweeps::StageState::Kind::expanded) results.unexpanded[stage] = state;
  for (const sweeps::Cell& cell : expansion.cells) {
    auto& out = results.cells.emplace_back();
    out.hash = cell.hash;
    out.parameters = cell.parameters;
    out.stages = cell.stages;
    for (const std::int64_t seed : study.seeds) {
      const auto* row = row_of(cell.hash, seed);
      TrialResult& trial = out.trials.emplace_back();
      trial.seed = seed;
      if (row == nullptr) continue;
      trial = read_trial(*row, at, metrics);
      if (with_confusion && trial.state == TrialResult::State::finished)
        trial.confusion = read_confusion(reader, std::get<std::int64_t>((*row)[at.trial]));
    }
  }
  results.varying = telling_parameters(results.cells, expansion.varying);
  return results;
}

}  // namespace windrow
