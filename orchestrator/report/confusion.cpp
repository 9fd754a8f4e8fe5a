// Confusion matrices and the accuracies of classes, out of the trials' artefacts.
#include <algorithm>
#include <cctype>
#include <map>
#include <unordered_map>

#include "orchestrator/analysis/statistics.h"
#include "orchestrator/report/figures.h"

namespace windrow::report {
namespace {

using Matrices = std::unordered_map<std::int64_t, HeatMap>;  // by trial

// The study's, from the public view; its rows come class by class, in the matrix' order.
Matrices load_matrices(storage::Reader& reader, const std::string& study) {
  const storage::ResultTable rows = reader.query(
      "SELECT c.trial, c.actual, c.predicted, c.images FROM confusion c JOIN trials t "
      "ON t.trial = c.trial WHERE t.study = '" +
      study + "'");  // a study's name has no quotes
  std::unordered_map<std::int64_t, std::map<std::string, std::size_t>> places;
  Matrices matrices;
  const auto place = [&](std::int64_t trial, const std::string& name) {
    HeatMap& matrix = matrices[trial];
    const auto [found, is_new] = places[trial].emplace(name, matrix.classes.size());
    if (is_new) matrix.classes.push_back(name);
    return found->second;
  };
  for (const auto& row : rows.rows) {
    const auto* trial = std::get_if<std::int64_t>(&row[0]);
    if (trial == nullptr) continue;
    const std::size_t actual = place(*trial, value_text(row[1]));
    const std::size_t predicted = place(*trial, value_text(row[2]));
    auto& counts = matrices[*trial].counts;
    const auto* integer = std::get_if<std::int64_t>(&row[3]);
    const auto* real = std::get_if<double>(&row[3]);
    counts.resize(std::max(counts.size(), actual + 1));
    counts[actual].resize(std::max(counts[actual].size(), predicted + 1));
    counts[actual][predicted] += integer ? static_cast<double>(*integer) : real ? *real : 0;
  }
  for (auto& [trial, matrix] : matrices) {
    matrix.counts.resize(matrix.classes.size());
    for (auto& counts : matrix.counts) counts.resize(matrix.classes.size());
  }
  return matrices;
}

// The group's matrices of the same classes as its first one.
std::vector<const HeatMap*> matrices_of(const TrialRows& trials, const Group& group,
                                        const Matrices& matrices) {
  std::vector<const HeatMap*> found;
  for (const std::size_t row : group.rows) {
    const auto matrix = matrices.find(trials.trial(row));
    if (matrix != matrices.end() &&
        (found.empty() || found.front()->classes == matrix->second.classes))
      found.push_back(&matrix->second);
  }
  return found;
}

HeatMap sum_of(const std::vector<const HeatMap*>& matrices) {
  HeatMap sum = *matrices.front();
  for (std::size_t m = 1; m < matrices.size(); ++m)
    for (std::size_t i = 0; i < sum.counts.size(); ++i)
      for (std::size_t j = 0; j < sum.counts[i].size(); ++j)
        sum.counts[i][j] += matrices[m]->counts[i][j];
  return sum;
}

// The label as a part of a file's name.
std::string file_part(const std::string& label) {
  std::string part;
  for (const char c : label) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (plain)
      part += c;
    else if (!part.empty() && part.back() != '-')
      part += '-';
  }
  while (!part.empty() && part.back() == '-') part.pop_back();
  return part;
}

std::string mean_note(std::size_t trials, const char* what) {
  return std::string(what) + " over " + std::to_string(trials) + " trials.";
}

constexpr const char* kNone = "no finished trial has a confusion matrix yet";

}  // namespace

std::vector<Drawing> draw_confusion(const FigureRequest& request) {
  const Matrices matrices = load_matrices(request.reader, request.study.name);
  const std::vector<Group> groups = groups_of(request, request.figure.by);
  std::vector<Drawing> drawings;
  std::size_t found = 0;
  for (const Group& group : groups) {
    const auto of_group = matrices_of(request.trials, group, matrices);
    if (of_group.empty() || ++found > kMaxMatrices) continue;
    Drawing drawing = begin_drawing(request, "Confusion matrix");
    if (groups.size() > 1) {
      drawing.title += ": " + group.label;
      drawing.name += "-" + file_part(group.label);
    }
    if (drawing.x_label.empty()) drawing.x_label = "predicted class";
    if (drawing.y_label.empty()) drawing.y_label = "true class";
    if (of_group.size() > 1) drawing.notes.push_back(mean_note(of_group.size(), "Summed up"));
    drawing.content = sum_of(of_group);
    drawings.push_back(std::move(drawing));
  }
  if (found > kMaxMatrices)
    drawings.back().notes.push_back(left_out_note(kMaxMatrices, found, "matrices"));
  if (drawings.empty()) {
    drawings.push_back(begin_drawing(request, "Confusion matrix"));
    drawings.back().content = HeatMap{};
    if (drawings.back().missing.empty()) drawings.back().missing = kNone;
  }
  return drawings;
}

std::vector<Drawing> draw_class_accuracy(const FigureRequest& request) {
  const Matrices matrices = load_matrices(request.reader, request.study.name);
  Drawing drawing = begin_drawing(request, "Accuracy by class");
  if (drawing.x_label.empty()) drawing.x_label = "class";
  if (drawing.y_label.empty()) drawing.y_label = "accuracy";
  BarChart chart;
  std::size_t found = 0, most = 0;
  for (const Group& group : groups_of(request, request.figure.by)) {
    const auto of_group = matrices_of(request.trials, group, matrices);
    if (of_group.empty()) continue;
    const auto& classes = of_group.front()->classes;
    if (chart.categories.empty()) chart.categories = classes;
    if (classes != chart.categories) continue;  // another task's: its bars have no place here
    if (++found > kMaxBarSeries) continue;
    most = std::max(most, of_group.size());
    BarSeries& series = chart.series.emplace_back();
    series.label = group.label.empty() ? "accuracy" : group.label;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      std::vector<double> shares;
      for (const HeatMap* matrix : of_group) {
        double images = 0;
        for (const double count : matrix->counts[i]) images += count;
        if (images > 0) shares.push_back(matrix->counts[i][i] / images);
      }
      const analysis::Estimate mean = analysis::estimate(shares);
      series.values.push_back(mean.n > 0 ? std::optional(mean.mean) : std::nullopt);
      series.ci95.push_back(mean.ci95);
    }
  }
  if (found > kMaxBarSeries) drawing.notes.push_back(left_out_note(kMaxBarSeries, found, "cells"));
  if (most > 1)
    drawing.notes.push_back("A bar is the mean over up to " + std::to_string(most) +
                            " trials, its line the 95% interval of the mean.");
  if (chart.series.empty() && drawing.missing.empty()) drawing.missing = kNone;
  drawing.content = std::move(chart);
  return {drawing};
}

}  // namespace windrow::report
