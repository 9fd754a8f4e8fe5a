#include "sweeps/figure.h"

#include <array>

namespace windrow::sweeps {
namespace {

constexpr auto kCurves =
    std::to_array<std::string_view>({"metric", "by", "x_label", "y_label", "log_x", "log_y"});
constexpr auto kBars = std::to_array<std::string_view>({"by", "x_label", "y_label"});
constexpr auto kScatter =
    std::to_array<std::string_view>({"x", "y", "label", "x_label", "y_label", "log_x", "log_y"});

}  // namespace

const char* to_string(FigureKind kind) {
  switch (kind) {
    case FigureKind::curves:
      return "curves";
    case FigureKind::confusion:
      return "confusion";
    case FigureKind::class_accuracy:
      return "class-accuracy";
    case FigureKind::scatter:
      return "scatter";
  }
  return "";
}

std::span<const std::string_view> keys_of(FigureKind kind) {
  switch (kind) {
    case FigureKind::curves:
      return kCurves;
    case FigureKind::scatter:
      return kScatter;
    case FigureKind::confusion:
    case FigureKind::class_accuracy:
      return kBars;
  }
  return {};
}

protocol::Json to_json(const Figure& figure) {
  protocol::Json json = {{"name", figure.name}, {"kind", to_string(figure.kind)}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    if (!values.empty()) json[key] = values;
  };
  text("title", figure.title);
  text("stage", figure.stage);
  if (!figure.where.empty()) json["where"] = figure.where;
  list("metric", figure.metrics);
  list("by", figure.by);
  text("x", figure.x);
  text("y", figure.y);
  list("label", figure.label);
  text("x_label", figure.x_label);
  text("y_label", figure.y_label);
  if (figure.log_x) json["log_x"] = true;
  if (figure.log_y) json["log_y"] = true;
  return json;
}

}  // namespace windrow::sweeps
