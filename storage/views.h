// The views, which are the database's public interface; docs/database.md describes each column.
// Internal to storage/.
#pragma once

#include <map>
#include <string>

#include "storage/database.h"
#include "storage/names.h"

namespace windrow::storage {

// Name to the CREATE VIEW statement.
std::map<std::string, std::string> view_definitions(Columns columns);

// Makes the views anew whose definition differs from the file's; in a transaction.
void refresh_views(Database& database, const Names& names);

// For a reader, which writes nothing: those of the views with fixed columns that the file lacks or
// has in another form, because an older windrow wrote it, become temporary ones of the connection.
// Leaves query_only on.
void add_missing_views(Database& database);

}  // namespace windrow::storage
