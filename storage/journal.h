// The choice of SQLite's journal. Internal to storage/.
#pragma once

#include <filesystem>

#include "storage/database.h"

namespace windrow::storage {

// True where a write-ahead log works beside `file` and every reader will see it: the file system is
// a local one, and a scratch database there took a write, a second connection and a checkpoint.
// Network file systems may answer "wal" and then fail, or keep the log's index from other hosts.
bool write_ahead_log_works(const std::filesystem::path& file);

// Sets WAL, or else a rollback journal, with an fsync at each commit. A reader in the way leaves
// the mode as it was, which is safe too.
void set_journal_mode(Database& database, bool write_ahead_log);

// Back to a rollback journal at a clean end, so that one file holds all and can be copied.
void leave_single_file(Database& database);

// An end that removes no file, where the database's name is no longer this file's: SQLite would
// remove by name what is another database's log by now.
void leave_other_files_alone(Database& database);

}  // namespace windrow::storage
