#include "orchestrator/results/highlights.h"

#include <algorithm>
#include <cstdio>

#include "storage/quote.h"

namespace windrow {
namespace {

using storage::quote_identifier;
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

// Of columns that the view hasn't (yet), nothing.
storage::ResultTable rows_of(storage::Reader& reader, const std::string& sql) {
  try {
    return reader.query(sql);
  } catch (const storage::StorageError&) {
    return {};
  }
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
  const std::string limit = " LIMIT " + std::to_string(rows);
  const std::string of_study = " WHERE study = " + quote_text(study.name);
  if (!found.metric.empty()) {
    const std::string metric = quote_identifier(found.metric);
    std::string columns = "trial";
    for (const std::string& name : swept(study)) columns += ", " + quote_identifier(name);
    columns += ", seed, " + metric;
    found.best =
        rows_of(reader, "SELECT " + columns + " FROM trials" + of_study +
                            " AND state = 'finished' AND " + metric + " IS NOT NULL ORDER BY " +
                            metric + (descending ? " DESC" : "") + limit);
  }
  found.failed =
      rows_of(reader,
              "SELECT f.trial, f.kind, f.host, f.message FROM failures f JOIN trials t ON "
              "t.trial = f.trial AND t.attempts = f.attempt" +
                  of_study + " AND t.state = 'failed' ORDER BY f.trial DESC" + limit);
  return found;
}

std::string best_text(const Highlights& highlights) {
  if (highlights.best.rows.empty()) return "";
  const auto& columns = highlights.best.columns;
  const auto& row = highlights.best.rows.front();
  const auto word = [](const storage::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
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
