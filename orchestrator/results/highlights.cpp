#include "orchestrator/results/highlights.h"

#include <algorithm>
#include <cstdio>

#include "orchestrator/results/texts.h"
#include "storage/quote.h"

namespace windrow {
namespace {

using storage::quote_text;

// Parameters with several values in some stage.
std::vector<std::string> swept(const sweeps::Study& study) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const sweeps::Stage& stage : study.stages) {
    if (stage.best)
      for (const std::string& name : stage.best->take) add(name);
    for (const std::string& name : stage.case_keys) add(name);
    for (const auto& group : stage.zips)
      for (const auto& [name, values] : group)
        if (values.size() > 1) add(name);
    for (const auto& [name, values] : stage.grid)
      if (values.size() > 1) add(name);
  }
  return names;
}

// The finished trials that have this metric, the best first. Values are as the study has them: a
// column of `trials` knows no truth values, and may have another name than its parameter.
storage::ResultTable best_trials(storage::Reader& reader, const sweeps::Study& study,
                                 const std::string& metric, bool descending, int rows) {
  const auto found = reader.query(
      "SELECT t.trial, t.seed, m.value FROM trial_metrics m JOIN trials t ON t.trial = m.trial "
      "WHERE m.metric = " +
      quote_text(metric) + " AND m.value IS NOT NULL AND t.state = 'finished' AND t.study = " +
      quote_text(study.name) + " ORDER BY m.value" + (descending ? " DESC" : "") +
      ", t.trial LIMIT " + std::to_string(rows));
  const std::vector<std::string> names = swept(study);
  storage::ResultTable best{{"trial"}, {}};
  best.columns.insert(best.columns.end(), names.begin(), names.end());
  best.columns.insert(best.columns.end(), {"seed", metric});
  for (const auto& row : found.rows) {
    const auto details = reader.show(std::get<std::int64_t>(row[0]), /*last_epochs=*/1);
    const auto parameters = sweeps::Json::parse(details.parameters);
    auto& values = best.rows.emplace_back(std::vector{row[0]});
    for (const std::string& name : names)
      values.push_back(to_value(parameters.value(name, sweeps::Json())));
    values.insert(values.end(), {row[1], row[2]});
  }
  return best;
}

}  // namespace

Highlights study_highlights(storage::Reader& reader, const sweeps::Study& study, int rows) {
  Highlights found;
  bool descending = study.report.descending;
  found.metric = study.report.sort_by;
  if (study.report.compare) {
    found.metric = study.report.compare->metric;
    descending = study.report.compare->goal == protocol::Goal::maximize;
  }
  if (!found.metric.empty())
    found.best = best_trials(reader, study, found.metric, descending, rows);
  found.failed = reader.query(
      "SELECT f.trial, f.kind, f.host, f.message FROM failures f JOIN trials t ON t.trial = "
      "f.trial "
      "AND t.attempts = f.attempt WHERE t.study = " +
      quote_text(study.name) + " AND t.state = 'failed' ORDER BY f.trial DESC LIMIT " +
      std::to_string(rows));
  return found;
}

std::string best_text(const Highlights& highlights) {
  if (highlights.best.rows.empty()) return "";
  const auto& columns = highlights.best.columns;
  const auto& row = highlights.best.rows.front();
  const auto word = [](const storage::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* truth = std::get_if<bool>(&value))
      return std::string(*truth ? "true" : "false");
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value)) {
      char buffer[32];
      std::snprintf(buffer, sizeof buffer, "%.4g", *real);
      return std::string(buffer);
    }
    return std::string("-");
  };
  std::string text = columns.back() + " " + word(row.back()) + ", trial " + word(row.front());
  for (std::size_t i = 1; i + 1 < columns.size(); ++i)
    if (!std::holds_alternative<std::monostate>(row[i]))
      text += " " + columns[i] + "=" + word(row[i]);
  return text;
}

}  // namespace windrow
