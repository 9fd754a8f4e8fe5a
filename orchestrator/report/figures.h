// The figures of a study's report, computed from the database.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/report/drawing.h"
#include "orchestrator/report/trial_rows.h"

namespace windrow::report {

// A figure with what it is drawn from.
struct FigureRequest {
  const sweeps::Figure& figure;
  const sweeps::Study& study;
  storage::Reader& reader;
  const TrialRows& trials;                  // those it is about
  const std::vector<std::string>& varying;  // the study's varying parameters
};

// More would be neither read nor loaded: the first ones are drawn, and the notes say so.
inline constexpr std::size_t kMaxLines = 24;
inline constexpr std::size_t kMaxLinePoints = 200;
inline constexpr std::size_t kMaxMatrices = 12;
inline constexpr std::size_t kMaxBarSeries = 8;
inline constexpr std::size_t kMaxPoints = 2000;

// One file each. A figure may be several drawings (a matrix for each cell), named after it; one
// without data is a drawing with `missing`.
std::vector<Drawing> draw_curves(const FigureRequest& request);
std::vector<Drawing> draw_scatter(const FigureRequest& request);
std::vector<Drawing> draw_confusion(const FigureRequest& request);
std::vector<Drawing> draw_class_accuracy(const FigureRequest& request);

// What suits a study that declares no figures: curves of each metric, confusion matrices and class
// accuracies where trials have them, the table's first metric against parameters and time.
std::vector<sweeps::Figure> default_figures(const sweeps::Study& study, storage::Reader& reader);

// All of the study's figures, in its order. `varying`: its varying parameters, as expanded by what
// the database knows.
std::vector<Drawing> draw_figures(const sweeps::Study& study, storage::Reader& reader,
                                  const std::vector<std::string>& varying);

// What all kinds of drawing begin with.
Drawing begin_drawing(const FigureRequest& request, const std::string& title);
// "24 of 100 lines are drawn ...".
std::string left_out_note(std::size_t drawn, std::size_t all, const std::string& what);
// By `chosen`, or where that is empty by the parameters that differ.
std::vector<Group> groups_of(const FigureRequest& request, const std::vector<std::string>& chosen);

}  // namespace windrow::report
