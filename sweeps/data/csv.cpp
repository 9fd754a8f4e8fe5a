#include "sweeps/data/csv.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "sweeps/data/data_file.h"

namespace windrow::sweeps {
namespace {

using std::string_view;

string_view without_spaces(string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

string_view trimmed(string_view cell) {
  cell = without_spaces(cell);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
    cell = without_spaces(cell.substr(1, cell.size() - 2));
  return cell;
}

// Takes the text up to the next `separator` off `rest`.
string_view take(string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return taken;
}

std::vector<string_view> cells_of(string_view line) {
  std::vector<string_view> cells;
  const bool ends_in_empty_cell = line.ends_with(',');
  while (!line.empty()) cells.push_back(trimmed(take(line, ',')));
  if (ends_in_empty_cell) cells.emplace_back();
  return cells;
}

// nullopt: no number. Infinite where it is too large for any.
std::optional<double> number(string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  // Too close to 0 is out of range as well.
  if (error == std::errc::result_out_of_range)
    return text.find("e-") != text.npos || text.find("E-") != text.npos ? 0 : HUGE_VAL;
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

bool is_header(const std::vector<string_view>& cells) {
  bool any_text = false, numbers_are_positions = true;
  std::size_t numbers = 0;
  // An unnamed first column is pandas' index; the columns are counted behind it.
  const std::size_t first = !cells.empty() && cells[0].empty() ? 1 : 0;
  for (std::size_t i = first; i < cells.size(); ++i) {
    const auto value = number(cells[i]);
    if (!value) {
      any_text = any_text || !cells[i].empty();
      continue;
    }
    ++numbers;
    numbers_are_positions = numbers_are_positions && cells[i] == std::to_string(i - first);
  }
  if (numbers == 0) return any_text;
  // Of two or three columns "0,1" may be data.
  return numbers_are_positions && (any_text || cells.size() > 3);
}

[[noreturn]] void refuse_cell(const CsvTable& table, std::int64_t line, std::int64_t column,
                              string_view cell) {
  const std::string where = table.name_of(column) + " ";
  if (cell.empty())
    refuse_line(table.file, line, where + "is empty; fill it in, or leave the set out of the file");
  if (number(cell))
    refuse_line(table.file, line,
                where + "is " + std::string(cell) +
                    ", which is not finite; correct it, or leave the set out of the file");
  std::string remedy = "; write numbers with a decimal point, separated by commas";
  if (line == 1) remedy += " (a header line has names only)";
  if (cell.find(';') != cell.npos || cell.find('\t') != cell.npos)
    remedy = "; separate the columns by commas";
  refuse_line(table.file, line,
              where + "is \"" + std::string(cell) + "\", which is no number" + remedy);
}

void read_row(CsvTable& table, string_view text, std::int64_t line) {
  std::int64_t column = 0;
  string_view rest = text;
  const bool ends_in_empty_cell = text.ends_with(',');
  while (!rest.empty() || (ends_in_empty_cell && column < table.columns)) {
    const string_view cell = trimmed(take(rest, ','));
    const auto value = number(cell);
    if (column < table.columns) {
      if (!value || !std::isfinite(*value)) refuse_cell(table, line, column, cell);
      table.values.push_back(*value);
    }
    ++column;
  }
  if (column != table.columns)
    refuse_line(table.file, line,
                "has " + std::to_string(column) + (column == 1 ? " cell" : " cells") +
                    ", but the first line has " + std::to_string(table.columns) +
                    "; every line needs as many (was the file cut off?)");
  ++table.rows;
}

}  // namespace

std::string CsvTable::name_of(std::int64_t column) const {
  std::string name = "column " + std::to_string(column + 1);
  if (static_cast<std::size_t>(column) < header.size())
    name += " (" + header[static_cast<std::size_t>(column)] + ")";
  return name;
}

CsvTable read_csv(const std::filesystem::path& file) {
  const std::string bytes = read_data_file(file);
  string_view rest = bytes;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  const std::size_t end = rest.find_last_not_of(" \t\r\n");
  if (end == rest.npos) refuse_file(file, "is empty; it needs a line for each set");
  rest = rest.substr(0, end + 1);

  CsvTable table;
  table.file = file;
  string_view after_first = rest;
  const std::vector<string_view> first = cells_of(without_spaces(take(after_first, '\n')));
  table.columns = static_cast<std::int64_t>(first.size());
  if (is_header(first)) {
    table.header.assign(first.begin(), first.end());
    table.first_line = 2;
    rest = after_first;
    if (rest.empty()) refuse_file(file, "has a header line and no data; it needs a line a set");
  }
  table.values.reserve(rest.size() / 8);
  for (std::int64_t line = table.first_line; !rest.empty(); ++line) {
    const string_view text = without_spaces(take(rest, '\n'));
    if (text.empty()) refuse_line(file, line, "is empty; remove the line");
    read_row(table, text, line);
  }
  return table;
}

}  // namespace windrow::sweeps
