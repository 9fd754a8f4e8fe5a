// What a figure shows, as plain values: made from the database by figures.h, and turned into a page
// by page.h or into files for a paper by plot_files.h, so that both show the same.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace windrow::report {

struct Point {
  double x = 0, y = 0;
  std::optional<double> ci95;  // half-width of y's 95% interval
  int n = 1;                   // trials that y is the mean of
  std::string label;           // of a scatter's point
};

struct Line {
  std::string label;
  int colour = 0, dash = 0;   // lines of one cell share the colour, those of one metric the dash
  std::vector<Point> points;  // x rising
};

struct LineChart {
  std::vector<Line> lines;
};

struct Scatter {
  std::vector<Point> points;
};

struct BarSeries {
  std::string label;
  std::vector<std::optional<double>> values;  // one for each category; nullopt: none
  std::vector<std::optional<double>> ci95;
};

struct BarChart {
  std::vector<std::string> categories;
  std::vector<BarSeries> series;
};

struct HeatMap {
  std::vector<std::string> classes;
  std::vector<std::vector<double>> counts;  // [true class][predicted class]
};

struct Range {
  double least = 0, most = 0;
};

struct Drawing {
  std::string name;  // of its files
  std::string title;
  std::string x_label, y_label;
  bool log_x = false, log_y = false;
  std::optional<Range> y_range;    // that the axis shows; nullopt: all values
  std::vector<std::string> notes;  // what was left out, and what the values are means of
  std::string missing;             // why there is nothing to draw; "" = there is
  std::variant<LineChart, Scatter, BarChart, HeatMap> content;
};

}  // namespace windrow::report
