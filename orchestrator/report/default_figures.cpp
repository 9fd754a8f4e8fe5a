// What is drawn of a study that declares no figures.
#include <algorithm>

#include "orchestrator/report/figures.h"

namespace windrow::report {
namespace {

constexpr std::size_t kMaxCurves = 8;

bool has_numbers(const TrialRows& trials, const std::string& key) {
  for (std::size_t row = 0; row < trials.size(); ++row)
    if (trials.number(row, key)) return true;
  return false;
}

// Whether a scatter's axis would tell its points apart.
bool differs(const TrialRows& trials, const std::string& key) {
  return !trials.differing({key}).empty();
}

// The metric that the study is about: what its table is sorted by, else its first metric there,
// else the first of its epochs.
std::string main_metric(const sweeps::Study& study, const TrialRows& trials,
                        const std::vector<std::string>& epoch_metrics) {
  const auto is_metric = [&](const std::string& key) {
    return !study.parameters.contains(key) && has_numbers(trials, key) && key != "parameters" &&
           key != "epochs" && key != "wall_seconds" && key != "seed" && key != "trial";
  };
  const sweeps::Expansion expansion = sweeps::expand(study);
  const auto is_parameter = [&](const std::string& key) {
    return std::ranges::any_of(expansion.cells,
                               [&](const auto& cell) { return cell.parameters.contains(key); });
  };
  std::vector<std::string> keys;
  if (!study.report.sort_by.empty()) keys.push_back(study.report.sort_by);
  for (const sweeps::ReportColumn& column : study.report.columns) keys.push_back(column.key);
  for (const std::string& key : keys)
    if (is_metric(key) && !is_parameter(key)) return key;
  return epoch_metrics.empty() ? "" : epoch_metrics.front();
}

}  // namespace

std::vector<sweeps::Figure> default_figures(const sweeps::Study& study, storage::Reader& reader) {
  std::vector<sweeps::Figure> figures;
  const auto add = [&](const std::string& name, sweeps::FigureKind kind) -> sweeps::Figure& {
    sweeps::Figure& figure = figures.emplace_back();
    figure.name = name;
    figure.kind = kind;
    return figure;
  };
  const TrialRows trials(reader, study, {});
  std::vector<std::string> metrics;  // another study in the file may have others
  for (const std::string& metric : reader.epoch_metrics())
    if (has_numbers(trials, metric)) metrics.push_back(metric);
  const std::string result = main_metric(study, trials, metrics);
  for (std::size_t i = 0; i < std::min(metrics.size(), kMaxCurves); ++i)
    add("curves-" + std::to_string(i + 1), sweeps::FigureKind::curves).metrics = {metrics[i]};
  const bool has_matrices =
      !reader
           .query("SELECT 1 FROM confusion c JOIN trials t ON t.trial = c.trial WHERE t.study = '" +
                  study.name + "' LIMIT 1")  // a study's name has no quotes
           .rows.empty();
  if (has_matrices) {
    add("confusion", sweeps::FigureKind::confusion);
    add("class-accuracy", sweeps::FigureKind::class_accuracy);
  }
  for (const char* x : {"parameters", "wall_seconds"}) {
    if (result.empty() || !differs(trials, x) || !has_numbers(trials, x)) continue;
    sweeps::Figure& figure = add(std::string("result-by-") + x, sweeps::FigureKind::scatter);
    figure.x = x;
    figure.y = result;
    figure.log_x = true;
  }
  return figures;
}

}  // namespace windrow::report
