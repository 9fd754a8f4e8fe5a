#include "storage/lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "storage/clock.h"

namespace windrow::storage {
namespace {

std::filesystem::path lock_path(const std::filesystem::path& database_file) {
  return database_file.string() + ".lock";
}

enum class OsLock { taken, held_elsewhere, unsupported };

// An open-file-description lock (fcntl(2)): it ends with its process, and unlike a POSIX lock is
// not dropped when some library closes another descriptor of the same file.
OsLock try_os_lock(int descriptor) {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (fcntl(descriptor, F_OFD_SETLK, &request) == 0) return OsLock::taken;
  if (errno == EAGAIN || errno == EACCES) return OsLock::held_elsewhere;
  return OsLock::unsupported;  // Lustre without -o flock, ...: the row alone must do
}

// Not where it is dead, nor where its row came with a copy of what it writes.
bool may_write(const ProcessIdentity& of_this_host, const std::filesystem::path& file) {
  return is_alive(of_this_host) && may_have_open(of_this_host, file);
}

// The former holder may have removed the file between our open and our lock.
bool is_still(const std::filesystem::path& path, int descriptor) {
  struct stat ours {
  }, there{};
  return fstat(descriptor, &ours) == 0 && stat(path.c_str(), &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

}  // namespace

std::optional<LockHolder> read_lock_holder(Database& database) {
  if (database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'coordinator'") == 0)
    return std::nullopt;
  Statement row(database, "SELECT host, pid, process, since, heartbeat FROM coordinator");
  if (!row.step()) return std::nullopt;
  LockHolder holder;
  holder.process = {std::string(row.text(0)), row.integer(1), std::string(row.text(2))};
  holder.since = row.integer(3);
  holder.heartbeat = row.integer(4);
  return holder;
}

CoordinatorLock::CoordinatorLock(std::filesystem::path database_file, LockOptions options)
    : file_(std::move(database_file)), options_(options) {
  const auto path = lock_path(file_);
  for (;;) {
    descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0)
      throw StorageError(path.string() + ": can't be made (" + std::strerror(errno) +
                         "); check that the folder exists and that you may write there, or give "
                         "another database with --db");
    const OsLock lock = try_os_lock(descriptor_);
    if (lock == OsLock::held_elsewhere) {
      close(descriptor_);
      refuse_os_lock();
    }
    if (lock == OsLock::unsupported || is_still(path, descriptor_)) return;
    close(descriptor_);
  }
}

CoordinatorLock::~CoordinatorLock() {
  if (is_still(lock_path(file_), descriptor_)) unlink(lock_path(file_).c_str());
  close(descriptor_);
}

void CoordinatorLock::refuse(const LockHolder& holder) const {
  const auto& process = holder.process;
  const std::string pid = std::to_string(process.pid);
  throw StorageError(file_.string() + ": in use by the coordinator on host " + process.host +
                     " (pid " + pid + ", since " + iso_time(holder.since) +
                     "); wait for it to end, or stop it with `kill " + pid + "` on " +
                     process.host);
}

void CoordinatorLock::refuse_os_lock() const {
  // The holder takes the OS lock first and writes its row a moment later: give it that moment.
  const auto living_holder = [&]() -> std::optional<LockHolder> {
    try {
      Database database(file_, Database::Mode::read_only);
      auto holder = read_lock_holder(database);
      if (holder && holder->process.host == self_.host && !may_write(holder->process, file_))
        return {};
      return holder;
    } catch (const StorageError&) {  // the file is being made just now
      return {};
    }
  };
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (const auto holder = living_holder()) refuse(*holder);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw StorageError(file_.string() +
                     ": in use by another coordinator of this host, which is starting or ending; "
                     "wait for it to end (`fuser " +
                     lock_path(file_).string() + "` gives its pid)");
}

void CoordinatorLock::wait_until_free(Database& database) {
  const auto first = read_lock_holder(database);
  if (!first) return;
  const auto boot_of = [](const ProcessIdentity& process) {
    return process.start.substr(0, process.start.find(':'));
  };
  if (first->process.host == self_.host && boot_of(first->process) == boot_of(self_)) {
    if (first->process != self_ && may_write(first->process, file_)) refuse(*first);
    return;
  }
  // Its row is taken for dead when it does not change while we look: by its own clock, not by ours.
  const bool looks_old = now_ms() - first->heartbeat >= options_.stale_after.count();
  const auto end =
      std::chrono::steady_clock::now() + (looks_old ? options_.watch : options_.stale_after);
  while (std::chrono::steady_clock::now() < end) {
    if (options_.interrupted && options_.interrupted())
      throw Interrupted("interrupted while waiting whether the coordinator on host " +
                        first->process.host + " still lives");
    std::this_thread::sleep_for(options_.poll);
    const auto now = read_lock_holder(database);
    if (!now) return;
    if (now->heartbeat != first->heartbeat || now->process != first->process) refuse(*now);
  }
}

void CoordinatorLock::write_row(Database& database) {
  since_ = now_ms();
  Statement(database,
            "INSERT OR REPLACE INTO coordinator (id, host, pid, process, since, heartbeat) "
            "VALUES (1, ?1, ?2, ?3, ?4, ?4)")
      .run(self_.host, self_.pid, self_.start, since_);
}

void CoordinatorLock::renew(Database& database) {
  Statement(database,
            "UPDATE coordinator SET heartbeat = ?1 WHERE host = ?2 AND pid = ?3 AND process = ?4")
      .run(now_ms(), self_.host, self_.pid, self_.start);
  if (database.changes() == 1) return;
  if (const auto holder = read_lock_holder(database)) refuse(*holder);
  throw StorageError(file_.string() +
                     ": the coordinator's lock row is gone, so another program may write the file; "
                     "find out who removed it, then run the same command again");
}

void CoordinatorLock::remove_row(Database& database) {
  Statement(database, "DELETE FROM coordinator WHERE host = ?1 AND pid = ?2 AND process = ?3")
      .run(self_.host, self_.pid, self_.start);
}

}  // namespace windrow::storage
