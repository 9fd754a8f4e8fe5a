// The rows of `trials` and `summary` of one study, from the tables that the views stand on: in the
// views each value is a look-up of its own, there are no more columns than SQLite allows, and true
// is 1.
// Internal to storage/.
#pragma once

#include <cstdint>
#include <string>

#include "storage/database.h"
#include "storage/result_table.h"

namespace windrow::storage {

// Of all cells, or of those of a stage ("" = all), in grid order and then by seed; cells of no
// stage come last. With the columns that the views have, or would have; those that are null in
// every row (another study's) are left out.
StudyTables study_tables(Database& database, const std::string& study, const std::string& stage);

// No row where there is no such trial.
ResultTable trial_row(Database& database, std::int64_t trial);

// The trial's last epochs (0 = all), in order.
ResultTable epoch_rows(Database& database, std::int64_t trial, int last);

}  // namespace windrow::storage
