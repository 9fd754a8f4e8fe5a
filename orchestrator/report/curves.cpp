// Learning curves: the mean over each group's trials, epoch by epoch. A trial that is finished
// counts with its last value in the epochs that others go on for: a mean over whom is left would
// jump where early stopping ends one.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "orchestrator/analysis/statistics.h"
#include "orchestrator/report/figures.h"
#include "orchestrator/report/later_range.h"

namespace windrow::report {
namespace {

using ByEpoch = std::map<int, std::vector<double>>;

// A trial that failed (by a loss that became NaN, say) is not averaged over with those that went
// well; one that still runs counts as far as it is.
bool takes_part(const TrialRows& trials, std::size_t row) {
  return trials.text(row, "state") != "failed";
}

std::unordered_map<std::int64_t, std::size_t> group_of_trials(const TrialRows& trials,
                                                              const std::vector<Group>& groups) {
  std::unordered_map<std::int64_t, std::size_t> group_of;
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const std::size_t row : groups[i].rows)
      if (takes_part(trials, row)) group_of.emplace(trials.trial(row), i);
  return group_of;
}

struct Last {
  int epoch = 0;
  double value = 0;
};

struct GroupValues {
  ByEpoch by_epoch;
  std::unordered_map<std::int64_t, Last> last;  // of each trial
};

// By epoch: what finished trials had in their last one.
std::vector<Last> ends_of(const GroupValues& values, const std::set<std::int64_t>& finished) {
  std::vector<Last> ends;
  for (const auto& [trial, last] : values.last)
    if (finished.contains(trial)) ends.push_back(last);
  std::ranges::sort(ends, {}, &Last::epoch);
  return ends;
}

// At most kMaxLinePoints, evenly spaced, the last one among them.
std::vector<Point> points_of(const GroupValues& values, const std::set<std::int64_t>& finished,
                             bool log_x, bool log_y) {
  std::vector<Point> points;
  const std::vector<Last> ends = ends_of(values, finished);
  const std::size_t stride = (values.by_epoch.size() + kMaxLinePoints - 1) / kMaxLinePoints;
  std::size_t left = values.by_epoch.size();
  for (const auto& [epoch, reported] : values.by_epoch) {
    --left;
    if (left % stride != 0) continue;
    std::vector<double> numbers = reported;
    for (const Last& end : ends) {
      if (end.epoch >= epoch) break;
      numbers.push_back(end.value);
    }
    const analysis::Estimate mean = analysis::estimate(numbers);
    if ((log_y && mean.mean <= 0) || (log_x && epoch <= 0)) continue;
    points.push_back({static_cast<double>(epoch), mean.mean, mean.ci95, mean.n, ""});
  }
  return points;
}

std::vector<std::string> names_of(const std::vector<std::string>& metrics,
                                  const sweeps::Report& report) {
  std::vector<std::string> headings;
  for (const std::string& metric : metrics) headings.push_back(heading(report, metric));
  return headings;
}

std::string label_of(const std::string& metric, const std::string& group, bool several) {
  if (group.empty()) return metric;
  return several ? group + ", " + metric : group;
}

void add_notes(const FigureRequest& request, const std::vector<Group>& groups, std::size_t lines,
               std::size_t all_lines, std::size_t epochs, Drawing& drawing) {
  if (lines < all_lines) drawing.notes.push_back(left_out_note(lines, all_lines, "lines"));
  std::size_t failed = 0, largest = 0;
  for (std::size_t row = 0; row < request.trials.size(); ++row)
    failed += !takes_part(request.trials, row);
  for (const Group& group : groups) largest = std::max(largest, group.rows.size());
  if (largest > 1)
    drawing.notes.push_back("A line is the mean over the trials that have the epoch (at most " +
                            std::to_string(largest) +
                            ") and those that ended before it, with their last value; the band is "
                            "the 95% interval of the mean (Student's t).");
  if (failed > 0)
    drawing.notes.push_back(std::to_string(failed) + (failed == 1
                                                          ? " failed trial takes no part."
                                                          : " failed trials take no part."));
  if (drawing.y_range)
    drawing.notes.push_back(
        "The axis ends at what the later epochs' lines need: what lies beyond is not shown, nor a "
        "band that is wider.");
  if (epochs > kMaxLinePoints)
    drawing.notes.push_back("At most " + std::to_string(kMaxLinePoints) +
                            " evenly spaced epochs of a line are drawn.");
}

}  // namespace

std::vector<Drawing> draw_curves(const FigureRequest& request) {
  const sweeps::Figure& figure = request.figure;
  const sweeps::Report& report = request.study.report;
  const std::vector<std::string> metrics = names_of(figure.metrics, report);
  std::string names;
  for (const std::string& metric : metrics) names += (names.empty() ? "" : ", ") + metric;
  Drawing drawing = begin_drawing(request, names + " by epoch");
  if (drawing.x_label.empty()) drawing.x_label = "epoch";
  if (drawing.y_label.empty()) drawing.y_label = names;

  std::vector<Group> groups = groups_of(request, figure.by);
  const std::size_t all_groups = groups.size();
  const bool several = metrics.size() > 1;
  groups.resize(std::min(groups.size(), std::max<std::size_t>(1, kMaxLines / metrics.size())));
  const auto group_of = group_of_trials(request.trials, groups);
  std::set<std::int64_t> finished;
  for (std::size_t row = 0; row < request.trials.size(); ++row)
    if (request.trials.text(row, "state") == "finished") finished.insert(request.trials.trial(row));
  LineChart chart;
  std::size_t most_epochs = 0;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<GroupValues> values(groups.size());
    request.reader.each_epoch_value(request.study.name, figure.metrics[m],
                                    [&](std::int64_t trial, int epoch, double value) {
                                      const auto group = group_of.find(trial);
                                      if (group == group_of.end()) return;
                                      GroupValues& own = values[group->second];
                                      own.by_epoch[epoch].push_back(value);
                                      Last& last = own.last[trial];
                                      if (epoch > last.epoch) last = {epoch, value};
                                    });
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (values[g].by_epoch.empty()) continue;
      most_epochs = std::max(most_epochs, values[g].by_epoch.size());
      Line& line = chart.lines.emplace_back();
      line.label = label_of(metrics[m], groups[g].label, several);
      line.colour = static_cast<int>(groups.size() == 1 ? m : g);
      line.dash = static_cast<int>(groups.size() == 1 ? 0 : several ? m : g / 8);
      line.points = points_of(values[g], finished, drawing.log_x, drawing.log_y);
    }
  }
  // The lines of a cell stand together in the legend.
  std::ranges::stable_sort(chart.lines, {}, &Line::colour);
  if (chart.lines.empty() && drawing.missing.empty())
    drawing.missing = "no epoch with " + names + " yet";
  drawing.y_range = later_range(chart.lines, drawing.log_y);
  add_notes(request, groups, groups.size() * metrics.size(), all_groups * metrics.size(),
            most_epochs, drawing);
  drawing.content = std::move(chart);
  return {drawing};
}

}  // namespace windrow::report
