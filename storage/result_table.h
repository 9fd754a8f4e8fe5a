// Rows as values: what a query gives, and what table_format.h prints.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace windrow::storage {

// What SQL gives has no bool: there it is 0 or 1.
using Value = std::variant<std::monostate /*NULL*/, std::int64_t, double, std::string, bool>;

struct ResultTable {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;  // each as long as `columns`
};

// Of one study, or of one of its stages.
struct StudyTables {
  ResultTable trials;   // with the columns of the view `trials`
  ResultTable summary;  // with those of `summary`
};

}  // namespace windrow::storage
