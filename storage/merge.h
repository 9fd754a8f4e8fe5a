// Another database's results into this one. Internal to storage/.
#pragma once

#include <filesystem>

#include "storage/database.h"
#include "storage/merge_report.h"
#include "storage/names.h"

namespace windrow::storage {

// Store::merge inside a transaction. `other` has the same schema version.
MergeReport merge(Database& database, Names& names, Database& other);

}  // namespace windrow::storage
