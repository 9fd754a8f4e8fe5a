#include "orchestrator/report/html.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "orchestrator/report/trial_rows.h"

namespace windrow::report {
namespace {

std::string cell_text(const storage::Value& value) {
  return std::holds_alternative<std::monostate>(value) ? "" : value_text(value);
}

// Numbers, and texts such as "0.15 ± 0.01".
bool looks_numeric(const storage::Value& value) {
  const std::string text = cell_text(value);
  const std::size_t digit = !text.empty() && text[0] == '-' ? 1 : 0;
  return text.empty() ||
         (digit < text.size() && std::isdigit(static_cast<unsigned char>(text[digit])) != 0 &&
          text.find_first_not_of("0123456789.+-e ±infa") == std::string::npos);
}

bool is_numeric_column(const storage::ResultTable& table, std::size_t column) {
  return std::ranges::all_of(table.rows,
                             [&](const auto& row) { return looks_numeric(row[column]); });
}

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

// Errors are a small share of a row, and what they are confused with is what one looks for: the
// root brings them out.
std::string heat_cell(double count, double row_sum) {
  const double share = row_sum > 0 ? count / row_sum : 0;
  const double alpha = std::sqrt(std::clamp(share, 0.0, 1.0));
  return "<td class=\"number\" style=\"background:rgba(0,114,178," + formatted("%.3f", alpha) +
         ")" + (alpha > 0.6 ? ";color:#fff" : "") + "\" title=\"" + formatted("%.1f", 100 * share) +
         " % of the row\">" + formatted("%.10g", count) + "</td>";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
          out += "\xEF\xBF\xBD";
        else
          out += c;
    }
  }
  return out;
}

std::string inside_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string table_html(const storage::ResultTable& table, const Emphasis& emphasized) {
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    classes.emplace_back(is_numeric_column(table, i) ? " class=\"number\"" : "");
  std::string html = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    html += "<th scope=\"col\"" + classes[i] + ">" + escaped(table.columns[i]) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t i = 0; i < table.rows[r].size(); ++i) {
      const std::string text = escaped(cell_text(table.rows[r][i]));
      const bool is_best = emphasized.contains({r, i});
      html +=
          "<td" + classes[i] + ">" + (is_best ? "<strong>" + text + "</strong>" : text) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string heat_map_html(const HeatMap& map, const std::string& x_label,
                          const std::string& y_label) {
  std::string html = "<div class=\"scroll\"><table class=\"heat\">\n<thead><tr><th scope=\"col\">" +
                     escaped(y_label) + " \\ " + escaped(x_label) + "</th>";
  for (const std::string& name : map.classes)
    html += "<th scope=\"col\">" + escaped(name) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < map.classes.size(); ++i) {
    double sum = 0;
    for (const double count : map.counts[i]) sum += count;
    html += "<tr><th scope=\"row\">" + escaped(map.classes[i]) + "</th>";
    for (const double count : map.counts[i]) html += heat_cell(count, sum);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace windrow::report
