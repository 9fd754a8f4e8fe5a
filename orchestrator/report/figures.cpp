#include "orchestrator/report/figures.h"

#include <algorithm>

namespace windrow::report {
namespace {

std::vector<Drawing> draw(const FigureRequest& request) {
  switch (request.figure.kind) {
    case sweeps::FigureKind::curves:
      return draw_curves(request);
    case sweeps::FigureKind::scatter:
      return draw_scatter(request);
    case sweeps::FigureKind::confusion:
      return draw_confusion(request);
    case sweeps::FigureKind::class_accuracy:
      return draw_class_accuracy(request);
  }
  return {};
}

// Two cells' matrices may have the same name once what a file name can't have is gone.
void make_names_unique(std::vector<Drawing>& drawings) {
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    const std::string name = drawings[i].name;
    const auto taken = [&] {
      return std::any_of(drawings.begin(), drawings.begin() + static_cast<std::ptrdiff_t>(i),
                         [&](const Drawing& d) { return d.name == drawings[i].name; });
    };
    for (int number = 2; taken(); ++number) drawings[i].name = name + "-" + std::to_string(number);
  }
}

}  // namespace

Drawing begin_drawing(const FigureRequest& request, const std::string& title) {
  const sweeps::Figure& figure = request.figure;
  Drawing drawing;
  drawing.name = figure.name;
  drawing.title = !figure.title.empty()  ? figure.title
                  : figure.stage.empty() ? title
                                         : title + ", stage " + figure.stage;
  drawing.x_label = figure.x_label;
  drawing.y_label = figure.y_label;
  drawing.log_x = figure.log_x;
  drawing.log_y = figure.log_y;
  if (request.trials.size() == 0)
    drawing.missing = "no trial of the study has the figure's stage and parameters yet";
  return drawing;
}

std::string left_out_note(std::size_t drawn, std::size_t all, const std::string& what) {
  return std::to_string(drawn) + " of " + std::to_string(all) + " " + what +
         " are drawn, the first in the study's order; the figure's `where`, `stage` or `by` "
         "chooses others.";
}

std::vector<Group> groups_of(const FigureRequest& request, const std::vector<std::string>& chosen) {
  return group_by(request.trials,
                  chosen.empty() ? request.trials.differing(request.varying) : chosen,
                  request.study.report);
}

std::vector<Drawing> draw_figures(const sweeps::Study& study, storage::Reader& reader,
                                  const std::vector<std::string>& varying) {
  const auto figures =
      study.report.figures ? *study.report.figures : default_figures(study, reader);
  std::vector<Drawing> drawings;
  for (const sweeps::Figure& figure : figures) {
    const TrialRows trials(reader, study, figure);
    for (Drawing& drawing : draw({figure, study, reader, trials, varying}))
      drawings.push_back(std::move(drawing));
  }
  make_names_unique(drawings);
  return drawings;
}

}  // namespace windrow::report
