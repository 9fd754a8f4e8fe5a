// Pieces of HTML. All text that comes from a study, a trainer or the database goes through
// escaped() on its way into a page.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "orchestrator/report/drawing.h"
#include "storage/result_table.h"

namespace windrow::report {

// For text and for attributes in double quotes. Control characters, which HTML has no place for,
// become U+FFFD.
std::string escaped(std::string_view text);

// JSON as the content of a <script>: no text in it can end the element.
std::string inside_script(std::string_view json);

using Emphasis = std::set<std::pair<std::size_t, std::size_t>>;  // row, column

// A table; columns of numbers are flush right. Numbers have six significant digits.
std::string table_html(const storage::ResultTable& table, const Emphasis& emphasized = {});

// The counts as a table whose cells are shaded by their share of the row.
std::string heat_map_html(const HeatMap& map, const std::string& x_label,
                          const std::string& y_label);

}  // namespace windrow::report
