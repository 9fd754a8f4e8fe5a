#include "orchestrator/results/last_epochs.h"

#include <deque>
#include <map>
#include <numeric>
#include <unordered_map>

#include "orchestrator/analysis/statistics.h"
#include "orchestrator/results/comparison_columns.h"
#include "orchestrator/results/texts.h"

namespace windrow {
namespace {

using storage::Value;

// By trial.
std::unordered_map<std::int64_t, double> means(const sweeps::ReportColumn& column,
                                               const std::string& study, storage::Reader& reader) {
  std::unordered_map<std::int64_t, double> means;
  std::int64_t current = 0;
  std::deque<double> last;
  const auto take_mean = [&] {
    if (!last.empty())
      means[current] =
          std::accumulate(last.begin(), last.end(), 0.0) / static_cast<double>(last.size());
    last.clear();
  };
  reader.each_epoch_value(study, column.key, [&](std::int64_t trial, int, double value) {
    if (trial != current) take_mean();
    current = trial;
    last.push_back(value);
    if (last.size() > static_cast<std::size_t>(column.last_epochs)) last.pop_front();
  });
  take_mean();
  return means;
}

}  // namespace

std::string table_key(const sweeps::ReportColumn& column) {
  if (column.last_epochs == 0) return column.key;
  return column.key + " (last " + std::to_string(column.last_epochs) + ")";
}

void add_last_epochs(const sweeps::ReportColumn& column, const std::string& study,
                     storage::Reader& reader, storage::StudyTables& tables) {
  if (column.last_epochs == 0) return;
  const auto trial = find_column(tables.trials, "trial"), cell = find_column(tables.trials, "cell"),
             state = find_column(tables.trials, "state");
  const auto row_cell = find_column(tables.summary, "cell");
  const auto of_trial = means(column, study, reader);
  std::map<std::string, std::vector<double>> of_cell;
  std::vector<Value> values;
  for (const auto& row : tables.trials.rows) {
    const auto found = of_trial.find(std::get<std::int64_t>(row[*trial]));
    const bool has_one = found != of_trial.end() && text_of(row[*state]) == "finished";
    values.push_back(has_one ? Value{found->second} : Value{});
    if (has_one) of_cell[text_of(row[*cell])].push_back(found->second);
  }
  add_column(tables.trials, table_key(column), std::move(values));
  std::vector<Value> cell_means, half_widths;
  for (const auto& row : tables.summary.rows) {
    const analysis::Estimate mean = analysis::estimate(of_cell[text_of(row[*row_cell])]);
    cell_means.push_back(mean.n > 0 ? Value{mean.mean} : Value{});
    half_widths.push_back(mean.ci95 ? Value{*mean.ci95} : Value{});
  }
  add_column(tables.summary, table_key(column) + "_mean", std::move(cell_means));
  add_column(tables.summary, table_key(column) + "_ci95", std::move(half_widths));
}

}  // namespace windrow
