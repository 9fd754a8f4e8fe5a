// The views, which are the database's public interface; docs/database.md describes each column.
// Internal to storage/.
#pragma once

#include <map>
#include <string>

#include "storage/database.h"
#include "storage/names.h"

namespace windrow::storage {

// Name to the CREATE VIEW statement.
std::map<std::string, std::string> view_definitions(const Columns& columns);

// Makes the views anew whose definition differs from the file's; in a transaction.
void refresh_views(Database& database, const Names& names);

}  // namespace windrow::storage
