// A point for each cell: one number of its trials against another.
#include <algorithm>

#include "orchestrator/analysis/statistics.h"
#include "orchestrator/report/figures.h"

namespace windrow::report {
namespace {

// Over the group's finished trials.
analysis::Estimate mean_of(const TrialRows& trials, const Group& group, const std::string& key) {
  std::vector<double> values;
  for (const std::size_t row : group.rows)
    if (trials.text(row, "state") == "finished")
      if (const auto number = trials.number(row, key)) values.push_back(*number);
  return analysis::estimate(values);
}

std::string text_of(const TrialRows& trials, const Group& group,
                    const std::vector<std::string>& keys, const sweeps::Report& report) {
  std::string text;
  for (const std::string& key : keys) {
    const auto& value = trials.value(group.rows.front(), key);
    if (!text.empty()) text += ", ";
    text += (std::holds_alternative<std::string>(value) ? "" : heading(report, key) + " ") +
            value_text(value);
  }
  return text;
}

}  // namespace

std::vector<Drawing> draw_scatter(const FigureRequest& request) {
  const sweeps::Figure& figure = request.figure;
  const sweeps::Report& report = request.study.report;
  const std::string x = heading(report, figure.x), y = heading(report, figure.y);
  Drawing drawing = begin_drawing(request, y + " against " + x);
  if (drawing.x_label.empty()) drawing.x_label = x;
  if (drawing.y_label.empty()) drawing.y_label = y;
  const auto labels =
      figure.label.empty() ? request.trials.differing(request.varying) : figure.label;
  std::vector<std::string> keys = {"cell"};  // a point is a cell, or with the seed a trial
  if (std::ranges::find(labels, "seed") != labels.end()) keys.emplace_back("seed");
  const std::vector<Group> groups = group_by(request.trials, keys, report);
  Scatter scatter;
  std::size_t points = 0, off_axis = 0, without = 0;
  int most = 0;
  for (const Group& group : groups) {
    const analysis::Estimate across = mean_of(request.trials, group, figure.x);
    const analysis::Estimate up = mean_of(request.trials, group, figure.y);
    if (across.n == 0 || up.n == 0) {
      ++without;
    } else if ((drawing.log_x && across.mean <= 0) || (drawing.log_y && up.mean <= 0)) {
      ++off_axis;
    } else if (++points <= kMaxPoints) {
      most = std::max(most, up.n);
      scatter.points.push_back(
          {across.mean, up.mean, up.ci95, up.n, text_of(request.trials, group, labels, report)});
    }
  }
  if (points > kMaxPoints) drawing.notes.push_back(left_out_note(kMaxPoints, points, "points"));
  if (most > 1)
    drawing.notes.push_back("A point is the mean over up to " + std::to_string(most) +
                            " finished trials, its bar the 95% interval of the mean.");
  if (without > 0)
    drawing.notes.push_back(std::to_string(without) + " of " + std::to_string(groups.size()) +
                            " points have no finished result with both numbers.");
  if (off_axis > 0)
    drawing.notes.push_back(std::to_string(off_axis) +
                            " points are not positive and so not on the logarithmic axis.");
  if (points == 0 && drawing.missing.empty())
    drawing.missing = "no finished trial has both " + figure.x + " and " + figure.y + " yet";
  drawing.content = std::move(scatter);
  return {drawing};
}

}  // namespace windrow::report
