#include "orchestrator/report/cells_view.h"

#include <algorithm>
#include <set>

#include "orchestrator/report/trial_rows.h"
#include "orchestrator/results/study_results.h"
#include "orchestrator/results/two_databases.h"

namespace windrow::report {
namespace {

using analysis::CellResult;
using nlohmann::json;

constexpr std::size_t kMostCells = 2000;
constexpr std::size_t kMostMetrics = 4;
constexpr std::size_t kMostPlaces = 12;  // of numbers; more lie where they are

// The report's metrics, else the first ones; what cells are compared by comes last.
std::vector<std::string> metrics_to_show(const sweeps::Report& report,
                                         const std::vector<std::string>& known) {
  std::string last = report.compare ? report.compare->metric : report.sort_by;
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  std::vector<std::string> shown;
  for (const sweeps::ReportColumn& column : report.columns)
    if (column.last_epochs == 0 && has(known, column.key)) shown.push_back(column.key);
  if (shown.empty()) shown = known;
  if (!has(known, last)) last = shown.empty() ? "" : shown.back();
  std::erase(shown, last);
  if (shown.size() > kMostMetrics - 1) shown.resize(kMostMetrics - 1);
  if (!last.empty()) shown.push_back(last);
  return shown;
}

bool before(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() < b.get<double>();
  return a.is_number() && !b.is_number();
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool wants_logarithm(const std::vector<double>& values) {
  if (values.empty()) return false;
  const auto [least, most] = std::ranges::minmax(values);
  return least > 0 && most >= 100 * least;
}

// A column of values, one for each cell, and the axis that they lie on.
struct Column {
  json axis;
  std::vector<json> values;
};

Column parameter_column(const std::vector<const CellResult*>& cells, const std::string& key,
                        const sweeps::Report& report) {
  Column column{{{"key", key}, {"label", heading(report, key)}, {"log", false}}, {}};
  std::vector<json> places;
  std::vector<double> numbers;
  for (const CellResult* cell : cells) {
    const auto found = cell->parameters.find(key);
    column.values.push_back(found == cell->parameters.end() ? json() : *found);
    if (std::ranges::find(places, column.values.back()) == places.end())
      places.push_back(column.values.back());
    if (column.values.back().is_number()) numbers.push_back(column.values.back().get<double>());
  }
  if (numbers.size() == cells.size() && places.size() > kMostPlaces) {
    column.axis["values"] = nullptr;
    column.axis["log"] = wants_logarithm(numbers);
    return column;
  }
  std::ranges::stable_sort(places, before);
  json& texts = column.axis["values"] = json::array();
  for (const json& place : places) texts.push_back(place.is_null() ? "–" : text_of(place));
  for (json& value : column.values) value = std::ranges::find(places, value) - places.begin();
  return column;
}

Column metric_column(const std::vector<const CellResult*>& cells, const std::string& key,
                     const sweeps::Report& report) {
  Column column{{{"key", key}, {"label", heading(report, key)}, {"values", nullptr}}, {}};
  std::vector<double> numbers;
  for (const CellResult* cell : cells) {
    const analysis::Estimate mean = analysis::estimate(analysis::metric_of(*cell, key).values);
    column.values.push_back(mean.n > 0 ? json(mean.mean) : json());
    if (mean.n > 0) numbers.push_back(mean.mean);
  }
  column.axis["log"] = wants_logarithm(numbers);
  return column;
}

}  // namespace

json cells_view(storage::Reader& reader, const sweeps::Study& study) {
  const analysis::StudyResults results = load_results(reader, study);
  std::vector<const CellResult*> cells;
  std::size_t finished = 0;
  for (const CellResult& cell : results.cells) {
    const bool has_result = std::ranges::any_of(cell.trials, [](const auto& trial) {
      return trial.state == analysis::TrialResult::State::finished;
    });
    if (has_result && ++finished <= kMostCells) cells.push_back(&cell);
  }
  if (cells.size() < 2 || results.varying.empty()) return nullptr;
  std::vector<Column> columns;
  for (const std::string& key : results.varying)
    columns.push_back(parameter_column(cells, key, study.report));
  for (const std::string& key : metrics_to_show(study.report, metrics_of(results)))
    columns.push_back(metric_column(cells, key, study.report));
  const bool largest = study.report.compare ? study.report.compare->goal == protocol::Goal::maximize
                                            : study.report.descending;
  json view{{"axes", json::array()},
            {"cells", json::array()},
            {"goal", largest ? "max" : "min"},
            {"left_out", finished - cells.size()}};
  for (const Column& column : columns) view["axes"].push_back(column.axis);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    json& row = view["cells"].emplace_back(json::array());
    for (const Column& column : columns) row.push_back(column.values[i]);
  }
  return view;
}

}  // namespace windrow::report
