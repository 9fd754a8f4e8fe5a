#include "fault_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windrow::storage {
namespace {

// A write or truncation since the last sync: what it replaced, to be put back at a power loss.
struct Undo {
  sqlite3_int64 offset = 0;
  std::string old;  // bytes that were there
  sqlite3_int64 old_size = 0;
  std::string written;  // empty: the file was truncated to `offset`
};

struct State {
  std::mutex mutex;
  FaultVfs::Fault fault = FaultVfs::Fault::none;
  std::int64_t at = 0;
  std::int64_t operations = 0;
  bool no_shared_memory = false;
  bool skips_syncs = false;
  std::map<std::string, std::vector<Undo>> unsynced;  // by file
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  sqlite3_io_methods methods{};
};

State& state() {  // SQLite's C interface has no place to hand it through
  static State instance;
  return instance;
}

// sqlite3_file must come first; the real file follows in memory.
struct File {
  sqlite3_file base;
  const char* name;
};
File* self(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(self(file) + 1);
}
const sqlite3_io_methods* real_methods(sqlite3_file* file) {
  return real(file)->pMethods;
}

void put(int descriptor, std::string_view bytes, sqlite3_int64 offset) {
  if (pwrite(descriptor, bytes.data(), bytes.size(), offset) < 0) _exit(1);
}

void set_size(int descriptor, sqlite3_int64 size) {
  if (ftruncate(descriptor, size) != 0) _exit(1);
}

using Kept = std::function<std::optional<std::size_t>(const Undo&)>;

// `kept`: how much of a change reached the disk all the same; nullopt: nothing.
void lose_unsynced(const Kept& kept) {
  for (auto& [name, changes] : state().unsynced) {
    const int descriptor = open(name.c_str(), O_RDWR);
    if (descriptor < 0) continue;
    for (auto undo = changes.rbegin(); undo != changes.rend(); ++undo) {
      put(descriptor, undo->old, undo->offset);
      set_size(descriptor, undo->old_size);
    }
    for (const Undo& change : changes) {
      const auto length = kept(change);
      if (!length) continue;
      if (change.written.empty())
        set_size(descriptor, change.offset);
      else
        put(descriptor, std::string_view(change.written).substr(0, *length), change.offset);
    }
    close(descriptor);
  }
}

void lose_all_unsynced() {
  lose_unsynced([](const Undo&) { return std::nullopt; });
}

// Counts an operation; the result code with which it must fail, or SQLITE_OK.
int operation(bool is_write) {
  State& s = state();
  if (++s.operations < s.at || s.fault == FaultVfs::Fault::none) return SQLITE_OK;
  switch (s.fault) {
    case FaultVfs::Fault::none:
      break;
    case FaultVfs::Fault::disk_full:
      return is_write ? SQLITE_FULL : SQLITE_OK;
    case FaultVfs::Fault::io_error:
      return SQLITE_IOERR;
    case FaultVfs::Fault::power_loss:
      lose_all_unsynced();
      _exit(kFaultExit);
    case FaultVfs::Fault::kill:
      _exit(kFaultExit);
  }
  return SQLITE_OK;
}

void remember(sqlite3_file* file, sqlite3_int64 offset, sqlite3_int64 length,
              std::string_view written = {}) {
  Undo undo;
  real_methods(file)->xFileSize(real(file), &undo.old_size);
  undo.offset = offset;
  undo.written = written;
  length = std::max<sqlite3_int64>(0, std::min(length, undo.old_size - offset));
  undo.old.resize(static_cast<std::size_t>(length));
  if (length > 0)
    real_methods(file)->xRead(real(file), undo.old.data(), static_cast<int>(length), offset);
  state().unsynced[self(file)->name].push_back(std::move(undo));
}

int close_file(sqlite3_file* file) {
  return real(file)->pMethods ? real_methods(file)->xClose(real(file)) : SQLITE_OK;
}
int read(sqlite3_file* file, void* to, int length, sqlite3_int64 offset) {
  return real_methods(file)->xRead(real(file), to, length, offset);
}
int write(sqlite3_file* file, const void* from, int length, sqlite3_int64 offset) {
  const std::lock_guard guard(state().mutex);
  if (const int code = operation(true)) return code;
  remember(file, offset, length,
           {static_cast<const char*>(from), static_cast<std::size_t>(length)});
  return real_methods(file)->xWrite(real(file), from, length, offset);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard guard(state().mutex);
  if (const int code = operation(false)) return code;
  remember(file, size, 1LL << 40);
  return real_methods(file)->xTruncate(real(file), size);
}
int sync(sqlite3_file* file, int flags) {
  const std::lock_guard guard(state().mutex);
  if (const int code = operation(false)) return code;
  state().unsynced.erase(self(file)->name);
  return state().skips_syncs ? SQLITE_OK : real_methods(file)->xSync(real(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_methods(file)->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real_methods(file)->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real_methods(file)->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* result) {
  return real_methods(file)->xCheckReservedLock(real(file), result);
}
int control(sqlite3_file* file, int op, void* argument) {
  return real_methods(file)->xFileControl(real(file), op, argument);
}
int sector_size(sqlite3_file* file) {
  return real_methods(file)->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real_methods(file)->xDeviceCharacteristics(real(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** result) {
  if (state().no_shared_memory) return SQLITE_IOERR_SHMMAP;
  return real_methods(file)->xShmMap(real(file), page, size, extend, result);
}
int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real_methods(file)->xShmLock(real(file), offset, n, flags);
}
void shm_barrier(sqlite3_file* file) {
  real_methods(file)->xShmBarrier(real(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return real_methods(file)->xShmUnmap(real(file), remove);
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& s = state();
  std::memset(file, 0, static_cast<std::size_t>(s.vfs.szOsFile));
  self(file)->name = name ? name : "";
  const int code = s.real->xOpen(s.real, name, real(file), flags, out_flags);
  if (real(file)->pMethods) file->pMethods = &s.methods;
  return code;
}
int remove_file(sqlite3_vfs*, const char* name, int sync_folder) {
  State& s = state();
  const std::lock_guard guard(s.mutex);
  if (const int code = operation(false)) return code;
  s.unsynced.erase(name);
  return s.real->xDelete(s.real, name, sync_folder);
}

}  // namespace

FaultVfs::FaultVfs() {
  State& s = state();
  s.real = sqlite3_vfs_find(nullptr);
  s.vfs = *s.real;  // all but opening and removing is the real one's
  s.vfs.zName = "windrow-faults";
  s.vfs.szOsFile = static_cast<int>(sizeof(File)) + s.real->szOsFile;
  s.vfs.xOpen = open_file;
  s.vfs.xDelete = remove_file;
  s.methods = {
      2,         close_file, read,    write,       truncate,        sync,    file_size, lock,
      unlock,    check_lock, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
      shm_unmap, nullptr,    nullptr};
  s.no_shared_memory = s.skips_syncs = false;
  disarm();
  sqlite3_vfs_register(&s.vfs, 1);
}

FaultVfs::~FaultVfs() {
  State& s = state();
  sqlite3_vfs_unregister(&s.vfs);
  sqlite3_vfs_register(s.real, 1);
}

void FaultVfs::arm(Fault fault, std::int64_t k) {
  const std::lock_guard guard(state().mutex);
  state().fault = fault;
  state().at = k;
  state().operations = 0;
  state().unsynced.clear();
}

void FaultVfs::fail(Fault fault) {
  const std::lock_guard guard(state().mutex);
  state().fault = fault;
  state().at = 0;
}

void FaultVfs::lose_power(const std::function<std::uint64_t()>& random) {
  constexpr std::size_t kSector = 512;
  const std::lock_guard guard(state().mutex);
  lose_unsynced([&](const Undo& change) -> std::optional<std::size_t> {
    switch (random() % 3) {
      case 0:
        return std::nullopt;
      case 1:
        return change.written.size();
      default:
        return random() % (change.written.size() / kSector + 1) * kSector;
    }
  });
  state().unsynced.clear();
  state().fault = Fault::none;
}

void FaultVfs::skip_syncs(bool skip) {
  const std::lock_guard guard(state().mutex);
  state().skips_syncs = skip;
}

std::int64_t FaultVfs::operations() const {
  const std::lock_guard guard(state().mutex);
  return state().operations;
}

void FaultVfs::refuse_shared_memory(bool refuse) {
  const std::lock_guard guard(state().mutex);
  state().no_shared_memory = refuse;
}

}  // namespace windrow::storage
