// What keeps a second coordinator out: an OS lock on FILE.lock (freed by the kernel when its holder
// dies, but not seen across hosts on every file system) and a row in the database with host, pid
// and a heartbeat (seen from everywhere). Internal to storage/.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "storage/database.h"
#include "storage/process.h"

namespace windrow::storage {

struct LockHolder {
  ProcessIdentity process;
  std::int64_t since = 0;      // milliseconds since 1970 UTC
  std::int64_t heartbeat = 0;  // likewise; of the holder's clock
};

// The row, where there is one (and the file has tables at all).
std::optional<LockHolder> read_lock_holder(Database& database);

struct LockOptions {
  std::chrono::milliseconds stale_after{30000};  // another host's coordinator without a heartbeat
                                                 // for so long counts as dead
  // Clocks may differ by any amount: so long its row is watched even where its heartbeat looks old.
  // More than twice the interval of heartbeats.
  std::chrono::milliseconds watch{12000};
  std::chrono::milliseconds poll{500};
  std::function<bool()> interrupted = {};  // asked while it waits; empty: nothing interrupts
};

// In order: construct (OS lock), wait_until_free (other hosts), write_row in a transaction, renew
// now and then, release.
class CoordinatorLock {
 public:
  // Takes the OS lock. Throws StorageError, naming the holder, where it is held.
  explicit CoordinatorLock(std::filesystem::path database_file, LockOptions options = {});
  ~CoordinatorLock();
  CoordinatorLock(const CoordinatorLock&) = delete;
  CoordinatorLock& operator=(const CoordinatorLock&) = delete;

  // Returns when no living coordinator's row is in the way. A row of this host's dead process is
  // none, nor is one that came with a copy of what a living one writes; for another host's it waits
  // at most stale_after for a heartbeat. A host of our name that was booted at another time may be
  // another machine. Throws StorageError, or Interrupted.
  void wait_until_free(Database& database);

  void write_row(Database& database);
  // Renews the heartbeat. Throws StorageError where another coordinator has taken over.
  void renew(Database& database);
  void remove_row(Database& database);

 private:
  [[noreturn]] void refuse(const LockHolder& holder) const;
  [[noreturn]] void refuse_os_lock() const;

  std::filesystem::path file_;
  LockOptions options_;
  ProcessIdentity self_ = this_process();
  std::int64_t since_ = 0;
  int descriptor_ = -1;
};

}  // namespace windrow::storage
