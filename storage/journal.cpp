#include "storage/journal.h"

#include <sqlite3.h>
#include <unistd.h>

#include <string>

#include "storage/file_system.h"

namespace windrow::storage {
namespace {

void probe(const std::filesystem::path& file) {
  Database writer(file, Database::Mode::create);
  if (writer.text("PRAGMA journal_mode = WAL") != "wal") throw StorageError("no WAL");
  writer.execute(
      "PRAGMA synchronous = NORMAL; CREATE TABLE probe (value); "
      "INSERT INTO probe VALUES (42)");
  Database reader(file, Database::Mode::existing);
  if (reader.integer("SELECT value FROM probe") != 42) throw StorageError("not seen");
  if (writer.integer("PRAGMA wal_checkpoint(TRUNCATE)") != 0) throw StorageError("no checkpoint");
}

}  // namespace

bool write_ahead_log_works(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  // A write-ahead log's index is shared memory, which ends at the host's border.
  const FileSystem* system = file_system_of(folder);
  if (system != nullptr && system->shared) return false;
  const std::string scratch = file.string() + ".probe-" + std::to_string(getpid());
  bool works = true;
  try {
    probe(scratch);
  } catch (const StorageError&) {  // whatever it is, a rollback journal asks less
    works = false;
  }
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(scratch + suffix, ignored);
  return works;
}

void set_journal_mode(Database& database, bool write_ahead_log) {
  try {
    if (write_ahead_log) {
      database.execute("PRAGMA journal_mode = WAL");
    } else {
      // A file that was left in WAL mode can't be read here but without the shared index. TRUNCATE:
      // to make and remove the journal would cost two operations on a folder for each commit.
      database.execute("PRAGMA locking_mode = EXCLUSIVE");
      database.execute("PRAGMA journal_mode = TRUNCATE");
    }
  } catch (const StorageError&) {  // a reader holds the file: keep the present mode
  }
  if (!write_ahead_log) {
    database.execute("PRAGMA locking_mode = NORMAL");
    database.integer("SELECT count(*) FROM sqlite_schema");  // gives the exclusive lock back
  }
  database.execute("PRAGMA synchronous = FULL");
}

void leave_single_file(Database& database) {
  try {
    database.set_busy_timeout(std::chrono::milliseconds(200));
    database.execute("PRAGMA journal_mode = DELETE");
  } catch (const StorageError&) {  // a reader is there; SQLite's last connection tidies up
  }
}

void leave_other_files_alone(Database& database) {
  int keep = 1;
  sqlite3_file_control(database.handle(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &keep);
}

}  // namespace windrow::storage
