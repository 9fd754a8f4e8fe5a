#include "storage/foreign_lock.h"

#include "storage/database.h"

namespace windrow::storage {

struct ForeignLock::Impl {
  explicit Impl(const std::filesystem::path& file) : database(file, Database::Mode::existing) {
    database.set_busy_timeout(std::chrono::seconds(2));
    database.execute("BEGIN IMMEDIATE");
  }
  Database database;  // closed, its transaction is rolled back
};

ForeignLock::ForeignLock(const std::filesystem::path& file) : impl_(std::make_unique<Impl>(file)) {}
ForeignLock::~ForeignLock() = default;

}  // namespace windrow::storage
