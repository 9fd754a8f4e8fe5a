#include "storage/journal.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace windrow::storage {
namespace {

// File systems that several hosts share (statfs(2) and the systems' own sources): a write-ahead
// log's index is shared memory, which ends at the host's border.
bool is_shared_between_hosts(const std::filesystem::path& folder) {
  constexpr auto kShared = std::to_array<unsigned long>({
      0x6969,      // NFS
      0x0bd00bd0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0x517b,      // SMB
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB 2
      0x00c36400,  // Ceph
      0x01021997,  // 9P
      0x5346414f,  // AFS
      0x7461636f,  // OCFS2
      0x01161970,  // GFS2
      0x73757245,  // Coda
      0xaad7aaea,  // PanFS
  });
  struct statfs info {};
  if (statfs(folder.c_str(), &info) != 0) return false;
  const auto type = static_cast<unsigned long>(info.f_type) & 0xffffffffUL;
  return std::find(kShared.begin(), kShared.end(), type) != kShared.end();
}

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
  if (is_shared_between_hosts(folder)) return false;
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
      // A file that was left in WAL mode can't be read here but without the shared index.
      database.execute("PRAGMA locking_mode = EXCLUSIVE");
      database.execute("PRAGMA journal_mode = DELETE");
      database.execute("PRAGMA locking_mode = NORMAL");
      database.integer("SELECT count(*) FROM sqlite_schema");  // gives the exclusive lock back
    }
  } catch (const StorageError&) {  // a reader holds the file: keep the present mode
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

}  // namespace windrow::storage
