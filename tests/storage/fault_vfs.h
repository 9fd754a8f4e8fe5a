// A SQLite VFS for tests: the operating system's own, with faults at the k-th write. While one
// exists it is SQLite's default, so that the code under test needs no door for it.
#pragma once

#include <cstdint>
#include <functional>

namespace windrow::storage {

class FaultVfs {
 public:
  enum class Fault {
    none,
    disk_full,   // SQLITE_FULL from writes, from the k-th operation on
    io_error,    // SQLITE_IOERR from writes, syncs, truncations and removals, likewise
    kill,        // the process ends before the operation, as by SIGKILL
    power_loss,  // likewise, and what was not synced is gone from the files
  };

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // Counts operations that change files (writes, syncs, truncations, removals) anew, and lets the
  // fault happen at the k-th (from 1).
  void arm(Fault fault, std::int64_t k);
  void disarm() { arm(Fault::none, 0); }
  std::int64_t operations() const;

  // From now on, until the next call; disk_full, io_error or none.
  void fail(Fault fault);
  // After all files were closed: what was not synced is as a power loss leaves it: each write is
  // there, or gone, or torn between sectors, as `random` says. Nothing fails any more.
  void lose_power(const std::function<std::uint64_t()>& random);
  // Syncs are noted for lose_power(), and cost nothing.
  void skip_syncs(bool skip);

  // Shared memory is refused, as on a network file system: no write-ahead log works.
  void refuse_shared_memory(bool refuse);
};

inline constexpr int kFaultExit = 77;  // the exit status after kill and power_loss

}  // namespace windrow::storage
