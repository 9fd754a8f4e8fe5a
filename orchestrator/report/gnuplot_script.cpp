#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "orchestrator/report/later_range.h"
#include "orchestrator/report/palette.h"
#include "orchestrator/report/plot_files.h"

namespace windrow::report {
namespace {

constexpr auto kDashes = std::to_array<const char*>({"1", "(8,4)", "(2,4)", "(10,4,2,4)"});

// In gnuplot's single quotes only a quote is special; line breaks would end the command.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

// A field of a data block, in which a quote can't be written.
std::string field(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? '\'' : c == '\\' ? '/' : static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out + "\"";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  return buffer;
}

std::string number(const std::optional<double>& value) {
  return value ? number(*value) : "NaN";
}

std::string colour_of(std::size_t index) {
  return std::string(" lc rgb '") + colour(index) + "'";
}

std::string join(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

std::string head(const Drawing& drawing, PlotFormat format) {
  const bool svg = format == PlotFormat::svg;
  const std::string file = drawing.name + (svg ? ".svg" : ".pdf");
  const bool is_map = std::holds_alternative<HeatMap>(drawing.content);
  std::string script = "# Draws " + file + ": gnuplot " + drawing.name + ".gp\nset encoding utf8\n";
  if (svg)
    script +=
        std::string("set terminal svg noenhanced font 'Helvetica,13' background '#ffffff' size ") +
        (is_map ? "720,640" : "720,480") + "\n";
  else
    script += std::string("set terminal pdfcairo noenhanced color font 'Helvetica,10' size ") +
              (is_map ? "14cm,12.5cm" : "14cm,9.5cm") + "\n";
  script += "set output " + quoted(file) + "\nset title " + quoted(drawing.title) +
            "\nset xlabel " + quoted(drawing.x_label) + "\nset ylabel " + quoted(drawing.y_label) +
            "\nset border 3\nset tics nomirror\nset grid ytics lc rgb '#e0e0e0'\n";
  if (drawing.log_x) script += "set logscale x\n";
  if (drawing.log_y) script += "set logscale y\n";
  return script;
}

std::string block(const std::string& name, const std::vector<Point>& points, double floor,
                  const std::optional<Range>& range = {}) {
  std::string text = "$" + name + " << EOD\n";
  for (const Point& p : points)
    text +=
        number(p.x) + " " + number(p.y) + " " +
        (is_shown(p, range) ? number(std::max(floor, p.y - *p.ci95)) + " " + number(p.y + *p.ci95)
                            : std::string("NaN NaN")) +
        " " + field(p.label) + "\n";
  return text + "EOD\n";
}

// Of its own accord gnuplot ends a logarithmic axis at powers of ten, and labels no others.
std::string log_y_tics(const Range& range) {
  std::vector<std::string> tics;
  for (int power = static_cast<int>(std::floor(std::log10(range.least)));
       std::pow(10.0, power) <= range.most; ++power)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tic = digit * std::pow(10.0, power);
      if (tic >= range.least && tic <= range.most) tics.push_back(number(tic));
    }
  return "set ytics (" + join(tics, ", ") + ")\n";
}

// Epochs are whole numbers: where there are few, gnuplot would divide them.
bool has_few_epochs(const std::vector<Line>& lines) {
  double first = INFINITY, last = -INFINITY;
  for (const Line& line : lines)
    for (const Point& p : line.points) {
      first = std::min(first, p.x);
      last = std::max(last, p.x);
    }
  return last - first <= 10;
}

std::string lines_script(const LineChart& chart, const Drawing& drawing) {
  std::optional<Range> range = drawing.y_range;
  if (!range && drawing.log_y) range = whole_range(chart.lines, true);
  // On a logarithmic axis a band reaches down to half the smallest value.
  const double floor = drawing.log_y && range ? range->least / 2 : -INFINITY;
  std::string script =
      "set key outside right top vertical Left reverse\n"
      "set style fill transparent solid 0.18 noborder\n";
  if (chart.lines.size() == 1 && chart.lines[0].label == drawing.y_label) script += "unset key\n";
  if (!drawing.log_x && has_few_epochs(chart.lines)) script += "set xtics 1\n";
  if (range) script += "set yrange [" + number(range->least) + ":" + number(range->most) + "]\n";
  if (range && drawing.log_y) script += log_y_tics(*range);
  std::vector<std::string> bands, means;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const Line& line = chart.lines[i];
    const std::string name = "line" + std::to_string(i);
    script += block(name, line.points, floor, drawing.y_range);
    const std::string shade = colour_of(static_cast<std::size_t>(line.colour));
    if (std::ranges::any_of(line.points,
                            [&](const Point& p) { return is_shown(p, drawing.y_range); }))
      bands.push_back("$" + name + " using 1:3:4 with filledcurves" + shade + " notitle");
    const char* dash = kDashes[static_cast<std::size_t>(line.dash) % kDashes.size()];
    means.push_back("$" + name + " using 1:2 with " +
                    (line.points.size() > 1 ? std::string("lines lw 2 dt ") + dash
                                            : std::string("points pt 7")) +
                    shade + " title " + quoted(line.label));
  }
  bands.insert(bands.end(), means.begin(), means.end());
  return script + "plot " + join(bands, ", \\\n     ") + "\n";
}

std::string scatter_script(const Scatter& scatter) {
  return "unset key\nset offsets graph 0.05, graph 0.12, graph 0.05, graph 0.05\n" +
         block("points", scatter.points, -INFINITY) +
         "plot $points using 1:2:3:4 with yerrorbars pt 0 lc rgb '#1b1b1b'" +
         ", \\\n     $points using 1:2 with points pt 7 ps 0.6" + colour_of(0) +
         ", \\\n     $points using 1:2:5 with labels left offset 0.7,0.4 font ',9'\n";
}

std::string bars_script(const BarChart& chart) {
  bool has_ci95 = false;
  std::string data = "$bars << EOD\n";
  for (std::size_t i = 0; i < chart.categories.size(); ++i) {
    data += field(chart.categories[i]);
    for (const BarSeries& series : chart.series) {
      has_ci95 = has_ci95 || series.ci95[i].has_value();
      data += " " + number(series.values[i]) + " " + number(series.ci95[i]);
    }
    data += "\n";
  }
  std::vector<std::string> plots;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const std::string column = std::to_string(2 + 2 * s), half_width = std::to_string(3 + 2 * s);
    plots.push_back("$bars using " + column + (has_ci95 ? ":" + half_width : "") +
                    (s == 0 ? ":xtic(1)" : "") + colour_of(s) + " title " +
                    quoted(chart.series[s].label));
  }
  return data + "EOD\nset key outside top center horizontal\nset style fill solid 0.9 noborder\n" +
         "set style data histogram\nset style histogram " +
         (has_ci95 ? "errorbars gap 1 lw 1" : "clustered gap 1") +
         "\nset errorbars 0.5 lc rgb '#1b1b1b'\nset xtics rotate by -35\nset yrange [0:*]\nplot " +
         join(plots, ", \\\n     ") + "\n";
}

// Cells shaded by their share of the row, by its root as on the page, with the counts in them.
std::string heat_script(const HeatMap& map) {
  std::string data = "$cells << EOD\n";
  std::vector<std::string> tics;
  for (std::size_t i = 0; i < map.classes.size(); ++i) {
    tics.push_back(quoted(map.classes[i]) + " " + std::to_string(i));
    double sum = 0;
    for (const double count : map.counts[i]) sum += count;
    for (std::size_t j = 0; j < map.classes.size(); ++j)
      data += std::to_string(j) + " " + std::to_string(i) + " " +
              number(sum > 0 ? std::sqrt(map.counts[i][j] / sum) : 0) + " " +
              field(number(map.counts[i][j])) + "\n";
  }
  const std::string size = std::to_string(map.classes.size()) + " - 0.5";
  return data +
         "EOD\nunset key\nunset grid\nunset colorbox\nset border 0\nset tics scale 0\n"
         "set palette defined (0 '#ffffff', 1 '#0072B2')\nset cbrange [0:1]\n"
         "set xtics rotate by -35 (" +
         join(tics, ", ") + ")\nset ytics (" + join(tics, ", ") + ")\nset xrange [-0.5:" + size +
         "]\nset yrange [" + size + ":-0.5]\n" +
         "plot $cells using 1:2:3 with image pixels, \\\n"
         "     $cells using 1:2:4:($3 > 0.6 ? 0xffffff : 0x1b1b1b) with labels font ',9' "
         "tc rgb variable\n";
}

}  // namespace

std::string gnuplot_script(const Drawing& drawing, PlotFormat format) {
  std::string script = head(drawing, format);
  if (const auto* lines = std::get_if<LineChart>(&drawing.content))
    script += lines_script(*lines, drawing);
  else if (const auto* scatter = std::get_if<Scatter>(&drawing.content))
    script += scatter_script(*scatter);
  else if (const auto* bars = std::get_if<BarChart>(&drawing.content))
    script += bars_script(*bars);
  else if (const auto* map = std::get_if<HeatMap>(&drawing.content))
    script += heat_script(*map);
  return script + "unset output\n";
}

}  // namespace windrow::report
