// The tables, and how older files become current ones. Internal to storage/: the views are the
// public interface (docs/database.md), the tables are not.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "storage/database.h"

namespace windrow::storage {

// In the header of every Windrow database ("wndr"), so that another program's SQLite file is told.
inline constexpr std::int64_t kApplicationId = 0x776e6472;

// failure.forgiven: why a failure is not counted against a trial's budgets; 0: it is.
inline constexpr int kForgiven = 1;            // by `windrow retry`, or the machine was to blame
inline constexpr int kForgivenWithTheRun = 2;  // everything failed alike, and the run was stopped

// A step from one schema version to the next. Version 0 is a file without tables.
using Migration = std::function<void(Database&)>;

// All steps in order; the schema version of this program is their number.
std::span<const Migration> migrations();
inline std::int64_t schema_version() {
  return static_cast<std::int64_t>(migrations().size());
}

// The file's version (0: empty). Throws StorageError where it is another program's file, or newer
// than `known`; the message has both versions.
std::int64_t check_identity(Database& database, std::int64_t known = schema_version());

// Brings the file up to date; to be called in a transaction, which leaves no half-made schema.
void migrate(Database& database, std::span<const Migration> steps = migrations());

}  // namespace windrow::storage
