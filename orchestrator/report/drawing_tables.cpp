#include "orchestrator/report/drawing_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace windrow::report {
namespace {

using nlohmann::json;
using storage::ResultTable;
using storage::Value;

constexpr std::size_t kMaxOverviewRows = 100;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

Value optional_value(const std::optional<double>& number) {
  return number ? Value{*number} : Value{};
}

Value whole(int number) {
  return static_cast<std::int64_t>(number);
}

double rounded(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return std::strtod(buffer, nullptr);
}

json number_json(const std::optional<double>& number) {
  if (!number || !std::isfinite(*number)) return nullptr;
  return rounded(*number);
}

ResultTable bar_table(const BarChart& chart, const std::string& x_label) {
  ResultTable table;
  table.columns = {x_label};
  for (const BarSeries& series : chart.series) {
    table.columns.push_back(series.label);
    table.columns.push_back(series.label + " ±95%");
  }
  for (std::size_t i = 0; i < chart.categories.size(); ++i) {
    auto& row = table.rows.emplace_back();
    row.emplace_back(chart.categories[i]);
    for (const BarSeries& series : chart.series) {
      row.push_back(optional_value(series.values[i]));
      row.push_back(optional_value(series.ci95[i]));
    }
  }
  return table;
}

ResultTable scatter_table(const Scatter& scatter, const Drawing& drawing, std::size_t most) {
  ResultTable table;
  table.columns = {"label", drawing.x_label, drawing.y_label, "ci95", "n"};
  for (const Point& p : scatter.points) {
    if (table.rows.size() == most) break;
    table.rows.push_back({p.label, p.x, p.y, optional_value(p.ci95), whole(p.n)});
  }
  return table;
}

ResultTable line_points(const LineChart& chart, const Drawing& drawing) {
  ResultTable table;
  table.columns = {"line", drawing.x_label, drawing.y_label, "ci95", "n"};
  for (const Line& line : chart.lines)
    for (const Point& p : line.points)
      table.rows.push_back({line.label, p.x, p.y, optional_value(p.ci95), whole(p.n)});
  return table;
}

ResultTable line_ends(const LineChart& chart, const Drawing& drawing) {
  ResultTable table;
  table.columns = {"line", "last " + drawing.x_label, "value there", "±95%", "n"};
  for (const Line& line : chart.lines) {
    if (line.points.empty()) continue;
    const Point& p = line.points.back();
    table.rows.push_back({line.label, p.x, p.y, optional_value(p.ci95), whole(p.n)});
  }
  return table;
}

ResultTable heat_rows(const HeatMap& map) {
  ResultTable table;
  table.columns = {"actual", "predicted", "images"};
  for (std::size_t i = 0; i < map.classes.size(); ++i)
    for (std::size_t j = 0; j < map.classes.size(); ++j)
      table.rows.push_back({map.classes[i], map.classes[j], map.counts[i][j]});
  return table;
}

// [x, y, half-width or null, n]; with a label where there is one.
json points_json(const std::vector<Point>& points) {
  json list = json::array();
  for (const Point& p : points) {
    json point = {rounded(p.x), rounded(p.y), number_json(p.ci95), p.n};
    if (!p.label.empty()) point.push_back(p.label);
    list.push_back(std::move(point));
  }
  return list;
}

}  // namespace

ResultTable all_points(const Drawing& drawing) {
  return std::visit(
      Overloaded{
          [&](const LineChart& chart) { return line_points(chart, drawing); },
          [&](const Scatter& chart) { return scatter_table(chart, drawing, chart.points.size()); },
          [&](const BarChart& chart) { return bar_table(chart, drawing.x_label); },
          [](const HeatMap& map) { return heat_rows(map); }},
      drawing.content);
}

ResultTable overview(const Drawing& drawing) {
  return std::visit(
      Overloaded{
          [&](const LineChart& chart) { return line_ends(chart, drawing); },
          [&](const Scatter& chart) { return scatter_table(chart, drawing, kMaxOverviewRows); },
          [&](const BarChart& chart) { return bar_table(chart, drawing.x_label); },
          [](const HeatMap&) { return ResultTable{}; }},
      drawing.content);
}

json chart_json(const Drawing& drawing) {
  json chart = {{"x_label", drawing.x_label},
                {"y_label", drawing.y_label},
                {"log_x", drawing.log_x},
                {"log_y", drawing.log_y}};
  std::visit(
      Overloaded{
          [&](const LineChart& lines) {
            chart["kind"] = "lines";
            if (drawing.y_range)
              chart["y_range"] = {rounded(drawing.y_range->least), rounded(drawing.y_range->most)};
            chart["lines"] = json::array();
            for (const Line& line : lines.lines)
              chart["lines"].push_back({{"label", line.label},
                                        {"colour", line.colour},
                                        {"dash", line.dash},
                                        {"points", points_json(line.points)}});
          },
          [&](const Scatter& scatter) {
            chart["kind"] = "scatter";
            chart["points"] = points_json(scatter.points);
          },
          [&](const BarChart& bars) {
            chart["kind"] = "bars";
            chart["categories"] = bars.categories;
            chart["series"] = json::array();
            for (const BarSeries& series : bars.series) {
              json values = json::array(), ci95 = json::array();
              for (const auto& v : series.values) values.push_back(number_json(v));
              for (const auto& v : series.ci95) ci95.push_back(number_json(v));
              chart["series"].push_back(
                  {{"label", series.label}, {"values", values}, {"ci95", ci95}});
            }
          },
          [&](const HeatMap&) { chart["kind"] = "table"; }},
      drawing.content);
  return chart;
}

}  // namespace windrow::report
