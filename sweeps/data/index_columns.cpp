// An index that is taken for a feature spoils a study in silence: it is a large number that tells
// the training sets from one another and means nothing in the test sets.
#include <algorithm>
#include <cctype>

#include "sweeps/data/set_readers.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kRemedy =
    "; an index must not be a feature: write the file without it (pandas: to_csv(..., "
    "index=False))";

bool is_index_name(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.empty() || name == "index" || name.starts_with("unnamed:");
}

bool counts_rows(const CsvTable& table, std::int64_t column) {
  const double first = table.at(0, column);
  if (first != 0 && first != 1) return false;
  for (std::int64_t row = 1; row < table.rows; ++row)
    if (table.at(row, column) != first + static_cast<double>(row)) return false;
  return true;
}

}  // namespace

void refuse_index_columns(const CsvTable& table, const std::vector<std::int64_t>& features) {
  // Of a few rows, any column but the first may count by chance.
  constexpr std::int64_t kRows = 3, kRowsOfOthers = 10;
  for (const std::int64_t column : features) {
    const auto i = static_cast<std::size_t>(column);
    if (i < table.header.size() && is_index_name(table.header[i]))
      refuse_line(table.file, 1,
                  "column " + std::to_string(column + 1) +
                      (table.header[i].empty() ? " has no name" : " is named " + table.header[i]) +
                      ", as the index that pandas writes" + kRemedy);
    if (table.rows >= (column == 0 ? kRows : kRowsOfOthers) && counts_rows(table, column))
      refuse_line(table.file, table.first_line,
                  table.name_of(column) + " counts the rows: " + shown(table.at(0, column)) + ", " +
                      shown(table.at(1, column)) + ", ... " +
                      shown(table.at(table.rows - 1, column)) + kRemedy);
  }
}

}  // namespace windrow::sweeps
