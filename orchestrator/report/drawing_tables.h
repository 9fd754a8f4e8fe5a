// A drawing's numbers as a table and as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/report/drawing.h"
#include "storage/result_table.h"

namespace windrow::report {

// Every point, for CSV: columns line, x, y, ci95, n (or what fits the kind).
storage::ResultTable all_points(const Drawing& drawing);

// What people read in place of the picture: a row for each line with where it ends, each point of
// a scatter (the first 100), each class. Empty for a heat map, which is a table already.
storage::ResultTable overview(const Drawing& drawing);

// For page/page.js, which says what it takes. Numbers are rounded to six significant digits, which
// a screen can't show more of, to keep the page small.
nlohmann::json chart_json(const Drawing& drawing);

}  // namespace windrow::report
