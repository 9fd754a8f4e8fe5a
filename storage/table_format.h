// A ResultTable as text for people and programs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/result_table.h"

namespace windrow::storage {

enum class TableStyle { text, markdown, latex, csv, json };

// "text", "markdown", "latex", "csv", "json"; nullopt: another.
std::optional<TableStyle> table_style(std::string_view name);

struct TableOptions {
  // Significant digits of real numbers in text, Markdown and LaTeX, for people: 0 = as many as tell
  // the number from its neighbours, which CSV and JSON, for programs, always give. Integers are
  // written as such.
  int significant_digits = 6;
  std::map<std::string, int> column_digits;  // column to its own significant digits
  // Columns for people whose real numbers have the same number of decimal places (common_places).
  std::set<std::string> aligned;
  std::string caption;  // in Markdown and LaTeX; "" = none
  // Row and column of what stands out, for people: bold in Markdown and LaTeX, with a * in text.
  std::set<std::pair<std::size_t, std::size_t>> emphasized;
  std::vector<std::string> notes;  // lines below the table, for people
};

// The decimal places that the real numbers of a column need, at most those that give the largest
// `digits` significant digits; nullopt: there is none but zeros, one is infinite or NaN, or one is
// so small that fewer than three of its digits would be left.
std::optional<int> common_places(const ResultTable& table, std::size_t column, int digits);

// With that many decimal places.
std::string fixed(double value, int places);

// The table with a line break at its end. Markdown: GitHub's pipe tables. LaTeX: a tabular of the
// package booktabs, in a table environment where there is a caption; ±, − and † are mathematics.
// CSV: RFC 4180, null is empty. JSON: an array of objects; null for NULL and for numbers that JSON
// has none for.
std::string format_table(const ResultTable& table, TableStyle style,
                         const TableOptions& options = {});

}  // namespace windrow::storage
