#include "storage/table_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace windrow::storage {
namespace {

// For programs: the shortest text that reads back as the same number.
std::string exact(double value) {
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

// For people. %g's choice between fixed and scientific, without its trailing zeros; but digits
// before the point are not rounded away.
std::string rounded(double value, int digits) {
  if (digits <= 0 || !std::isfinite(value)) return exact(value);
  digits = std::min(digits, 17);
  const double size = std::fabs(value);
  const bool long_integer = size >= std::pow(10.0, digits) && size < 1e15;
  std::array<char, 64> buffer{};
  char* const end = buffer.data() + buffer.size();
  const auto result =
      long_integer ? std::to_chars(buffer.data(), end, value, std::chars_format::fixed, 0)
                   : std::to_chars(buffer.data(), end, value, std::chars_format::general, digits);
  return {buffer.data(), result.ptr};
}

bool is_number(const Value& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

bool is_word(const Value& value) {
  return std::holds_alternative<std::string>(value) || std::holds_alternative<bool>(value);
}

const char* word(bool value) {
  return value ? "true" : "false";
}

// Columns of numbers (and gaps, and a few words such as "failed"), which are set flush right.
std::vector<bool> numeric_columns(const ResultTable& table) {
  std::vector<int> balance(table.columns.size());  // numbers less texts
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i) balance[i] += is_number(row[i]) - is_word(row[i]);
  std::vector<bool> numeric;
  for (const int each : balance) numeric.push_back(each > 0);
  return numeric;
}

std::size_t width_of(const std::string& text) {  // in code points: UTF-8's continuation bytes apart
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

using Replacements = std::initializer_list<std::pair<char, const char*>>;

std::string replace(const std::string& text, Replacements replacements) {
  std::string result;
  for (const char c : text) {
    const auto* found = std::find_if(replacements.begin(), replacements.end(),
                                     [c](const auto& pair) { return pair.first == c; });
    if (found == replacements.end()) {
      result += c;
    } else {
      result += found->second;
    }
  }
  return result;
}

std::string markdown_escaped(const std::string& text) {
  return replace(text, {{'|', "\\|"}, {'\n', "<br>"}, {'\r', ""}});
}

// What our own tables write beyond ASCII.
std::string with_latex_symbols(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kSymbols[] = {
      {"±", "$\\pm$"}, {"−", "$-$"}, {"†", "$^{\\dagger}$"}};
  for (const auto& [symbol, latex] : kSymbols)
    for (std::size_t at = 0; (at = text.find(symbol, at)) != std::string::npos; at += latex.size())
      text.replace(at, symbol.size(), latex);
  return text;
}

std::string latex_escaped(const std::string& text) {
  return with_latex_symbols(replace(text, {{'\\', "\\textbackslash{}"},
                                           {'~', "\\textasciitilde{}"},
                                           {'^', "\\textasciicircum{}"},
                                           {'&', "\\&"},
                                           {'%', "\\%"},
                                           {'$', "\\$"},
                                           {'#', "\\#"},
                                           {'_', "\\_"},
                                           {'{', "\\{"},
                                           {'}', "\\}"},
                                           {'<', "\\textless{}"},
                                           {'>', "\\textgreater{}"},
                                           {'\n', " "},
                                           {'\r', ""}}));
}

std::string json_text(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20) {
      constexpr const char* kHex = "0123456789abcdef";
      result += c == '\n'   ? std::string("\\n")
                : c == '\t' ? std::string("\\t")
                            : std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return '"' + replace(text, {{'"', "\"\""}}) + '"';
}

// -1.5e-09 as $-1.5 \times 10^{-9}$.
std::string latex_number(const std::string& number) {
  const auto exponent = number.find('e');
  if (exponent == std::string::npos) return number[0] == '-' ? '$' + number + '$' : number;
  const int power = std::stoi(number.substr(exponent + 1));
  return '$' + number.substr(0, exponent) + " \\times 10^{" + std::to_string(power) + "}$";
}

std::string as_it_is(const std::string& number) {
  return number;
}

using Escape = std::string (*)(const std::string&);

// Puts `before` and `after` around the emphasized cells of texts().
void emphasize(std::vector<std::vector<std::string>>& lines, const TableOptions& options,
               const char* before, const char* after) {
  for (const auto& [row, column] : options.emphasized)
    if (row + 1 < lines.size() && column < lines[row + 1].size()) {
      std::string& text = lines[row + 1][column];
      text.insert(0, before);
      text += after;
    }
}

// The cells as texts for people: heading first.
std::vector<std::vector<std::string>> texts(const ResultTable& table, const TableOptions& options,
                                            Escape escape, const char* null,
                                            Escape number = as_it_is) {
  std::vector<std::vector<std::string>> lines(1);
  std::vector<int> digits;
  std::vector<std::optional<int>> places;
  for (const auto& column : table.columns) {
    lines[0].push_back(escape(column));
    const auto own = options.column_digits.find(column);
    digits.push_back(own == options.column_digits.end() ? options.significant_digits : own->second);
    places.push_back(options.aligned.contains(column)
                         ? common_places(table, places.size(), digits.back())
                         : std::nullopt);
  }
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (const auto* integer = std::get_if<std::int64_t>(&row[i])) {
        line.push_back(number(std::to_string(*integer)));
      } else if (const auto* real = std::get_if<double>(&row[i])) {
        line.push_back(number(places[i] ? fixed(*real, *places[i]) : rounded(*real, digits[i])));
      } else if (const auto* text = std::get_if<std::string>(&row[i])) {
        line.push_back(escape(*text));
      } else if (const auto* truth = std::get_if<bool>(&row[i])) {
        line.emplace_back(word(*truth));
      } else {
        line.push_back(null);
      }
    }
  }
  return lines;
}

std::vector<std::size_t> widths(const std::vector<std::vector<std::string>>& lines,
                                std::size_t least) {
  std::vector<std::size_t> result(lines[0].size(), least);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i)
      result[i] = std::max(result[i], width_of(line[i]));
  return result;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return right ? blanks + text : text + blanks;
}

std::string format_text(const ResultTable& table, const TableOptions& options) {
  auto lines = texts(
      table, options,
      [](const std::string& text) {
        return replace(text, {{'\n', "\\n"}, {'\r', ""}});
      },
      "-");
  emphasize(lines, options, "", " *");
  const auto width = widths(lines, 1);
  const auto numeric = numeric_columns(table);
  std::string result;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i)
      text += (i ? "  " : "") + padded(line[i], width[i], numeric[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    result += text + '\n';
    if (&line != &lines[0]) continue;
    for (std::size_t i = 0; i < width.size(); ++i)
      result += (i ? "  " : "") + std::string(width[i], '-');
    result += '\n';
  }
  for (const std::string& note : options.notes) result += note + '\n';
  return result;
}

std::string format_markdown(const ResultTable& table, const TableOptions& options) {
  auto lines = texts(table, options, markdown_escaped, "");
  emphasize(lines, options, "**", "**");
  const auto width = widths(lines, 3);
  const auto numeric = numeric_columns(table);
  std::string result = options.caption.empty() ? "" : markdown_escaped(options.caption) + "\n\n";
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      result += "| " + padded(line[i], width[i], numeric[i]) + ' ';
    result += "|\n";
    if (&line != &lines[0]) continue;
    for (std::size_t i = 0; i < width.size(); ++i)
      result += numeric[i] ? "|" + std::string(width[i] + 1, '-') + ':'
                           : "|" + std::string(width[i] + 2, '-');
    result += "|\n";
  }
  for (const std::string& note : options.notes) result += "\n" + markdown_escaped(note) + '\n';
  return result;
}

std::string format_latex(const ResultTable& table, const TableOptions& options) {
  auto lines = texts(table, options, latex_escaped, "--", latex_number);
  emphasize(lines, options, "\\textbf{", "}");
  const auto numeric = numeric_columns(table);
  std::string result;
  if (!options.caption.empty())
    result += "\\begin{table}\n\\centering\n\\caption{" + latex_escaped(options.caption) + "}\n";
  result += "\\begin{tabular}{";
  for (std::size_t i = 0; i < table.columns.size(); ++i) result += numeric[i] ? 'r' : 'l';
  result += "}\n\\toprule\n";
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) result += (i ? " & " : "") + line[i];
    result += " \\\\\n";
    if (&line == &lines[0]) result += "\\midrule\n";
  }
  result += "\\bottomrule\n\\end{tabular}\n";
  // Outside of a table environment there is no place for them but a comment.
  for (const std::string& note : options.notes)
    result += options.caption.empty() ? "% " + note + "\n"
                                      : "\\par\\footnotesize " + latex_escaped(note) + "\n";
  if (!options.caption.empty()) result += "\\end{table}\n";
  return result;
}

std::string format_csv(const ResultTable& table) {
  std::string result;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    result += (i ? "," : "") + csv_field(table.columns[i]);
  result += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i) result += ',';
      if (const auto* integer = std::get_if<std::int64_t>(&row[i])) {
        result += std::to_string(*integer);
      } else if (const auto* real = std::get_if<double>(&row[i])) {
        result += exact(*real);
      } else if (const auto* text = std::get_if<std::string>(&row[i])) {
        result += csv_field(*text);
      } else if (const auto* truth = std::get_if<bool>(&row[i])) {
        result += word(*truth);
      }
    }
    result += "\r\n";
  }
  return result;
}

std::string json_value(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value))
    return std::isfinite(*real) ? exact(*real) : "null";
  if (const auto* text = std::get_if<std::string>(&value)) return json_text(*text);
  if (const auto* truth = std::get_if<bool>(&value)) return word(*truth);
  return "null";
}

std::string format_json(const ResultTable& table) {
  std::string result = "[";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    result += r ? ",\n {" : "\n {";
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      result += (i ? ", " : "") + json_text(table.columns[i]) + ": " + json_value(table.rows[r][i]);
    result += '}';
  }
  return result + (table.rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace

std::optional<TableStyle> table_style(std::string_view name) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"text", "markdown", "latex", "csv", "json"});
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TableStyle>(found - kNames.begin());
}

std::optional<int> common_places(const ResultTable& table, std::size_t column, int digits) {
  std::vector<double> values;
  double largest = 0;
  for (const auto& row : table.rows)
    if (const auto* real = std::get_if<double>(&row[column])) {
      if (!std::isfinite(*real)) return std::nullopt;
      values.push_back(*real);
      largest = std::max(largest, std::fabs(*real));
    }
  if (digits <= 0 || largest == 0) return std::nullopt;
  const int most = std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(largest))));
  if (most > 17) return std::nullopt;
  int places = 0;  // that one of them needs
  for (const double value : values) {
    std::string text = fixed(value, most);
    const bool says_enough = std::fabs(value) >= std::pow(10.0, 2 - most);
    if (!says_enough && std::stod(text) != std::stod(rounded(value, digits))) return std::nullopt;
    text.erase(text.find_last_not_of('0') + 1);
    if (const auto point = text.find('.'); point != text.npos)
      places = std::max(places, static_cast<int>(text.size() - point) - 1);
  }
  return places;
}

std::string fixed(double value, int places) {
  std::array<char, 340> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::fixed, places);
  return {buffer.data(), result.ptr};
}

std::string format_table(const ResultTable& table, TableStyle style, const TableOptions& options) {
  switch (style) {
    case TableStyle::text:
      return format_text(table, options);
    case TableStyle::markdown:
      return format_markdown(table, options);
    case TableStyle::latex:
      return format_latex(table, options);
    case TableStyle::csv:
      return format_csv(table);
    case TableStyle::json:
      break;
  }
  return format_json(table);
}

}  // namespace windrow::storage
