// Statements to ResultTables, for the Reader. Internal to storage/.
#pragma once

#include <string>

#include "storage/database.h"
#include "storage/result_table.h"

namespace windrow::storage {

// The remaining rows of a statement whose values are bound.
ResultTable fetch(Statement& statement);

// Leaves out the columns that are null in every row, unless the view always has them.
ResultTable without_empty_columns(ResultTable table);

// One statement from a user, refused unless it only reads.
ResultTable run_user_query(Database& database, const std::string& sql);

}  // namespace windrow::storage
