// What a study's report draws; docs/study-file.md describes each key of a figure.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"

namespace windrow::sweeps {

enum class FigureKind {
  curves,          // metrics by epoch, a line for each combination of `by`
  confusion,       // a heat map of true and predicted classes for each combination of `by`
  class_accuracy,  // bars by class, a colour for each combination of `by`
  scatter,         // a point for each cell, at x and y
};

struct Figure {
  std::string name;  // of its files: as a study's name, no two the same in a study
  FigureKind kind = FigureKind::curves;
  std::string title;                                // "" = made of what is drawn
  std::string stage;                                // "" = all
  protocol::Json where = protocol::Json::object();  // parameter -> list of values: only such cells
  std::vector<std::string> metrics;                 // of curves: what is drawn
  std::vector<std::string> by;     // all but scatter; empty: the varying parameters
  std::string x, y;                // of a scatter: columns of the view `trials`
  std::vector<std::string> label;  // of its points; empty: as `by`
  std::string x_label, y_label;    // of the axes; "" = the key or its heading
  bool log_x = false, log_y = false;
};

// As in the study file: "class-accuracy".
const char* to_string(FigureKind kind);

// The figure's keys that its kind uses, beyond name, kind, title, stage and where.
std::span<const std::string_view> keys_of(FigureKind kind);

// As the study file has it, without what is at its default.
protocol::Json to_json(const Figure& figure);

}  // namespace windrow::sweeps
