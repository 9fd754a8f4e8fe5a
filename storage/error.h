// The exceptions of storage/.
#pragma once

#include <stdexcept>

namespace windrow::storage {

// The database can't be used (exit code 4): not a database, newer, read-only, locked by another
// coordinator, disk full. what() names the file, the cause (for a lock: host, pid and since when)
// and the remedy.
struct StorageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One record has a value that can't be stored (too long, against a constraint): the database is as
// good as before.
struct BadRecord : StorageError {
  using StorageError::StorageError;
};

// Another program keeps the file locked: to be tried again.
struct DatabaseBusy : StorageError {
  using StorageError::StorageError;
};

// A wait was broken off on request; nothing was changed.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace windrow::storage
