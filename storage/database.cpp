#include "storage/database.h"

#include <sqlite3.h>

#include <utility>

namespace windrow::storage {
namespace {

// What to do about an error of SQLite; `code` is the extended code.
const char* remedy(int code) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return "give another file with --db, or move this one away";
    case SQLITE_CANTOPEN:
      return "check that the folder exists and that you may write there, or give another file with "
             "--db";
    case SQLITE_READONLY:
      return "make the file and its folder writable, or give another file with --db";
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "check the permissions of the file and its folder, or give another file with --db";
    case SQLITE_FULL:
      return "free some space (or quota) and run the same command again: it goes on from the last "
             "committed epoch";
    case SQLITE_IOERR:
      return "check the disk (space, quota, `dmesg`) and run the same command again: it goes on "
             "from the last committed epoch";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program keeps the file locked: close it (`fuser FILE` names it) and try "
             "again";
    case SQLITE_CORRUPT:
      return "restore the file from a copy, or save what can be read with `sqlite3 FILE .recover`";
    case SQLITE_NOMEM:
      return "free some memory and try again";
    default:
      return "this is a fault of windrow: please report it with this message";
  }
}

const char* cause(int code) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return "is not an SQLite database";
    case SQLITE_CANTOPEN:
      return "can't be opened";
    case SQLITE_READONLY:
      return "is read-only";
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "access is denied";
    case SQLITE_FULL:
      return "the disk is full";
    case SQLITE_IOERR:
      return "the disk reports an error";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked";
    case SQLITE_CORRUPT:
      return "is damaged";
    case SQLITE_NOMEM:
      return "out of memory";
    default:
      return "the database refuses a statement";
  }
}

std::string shortened(std::string_view sql) {
  constexpr std::size_t kLimit = 120;
  std::string text(sql.substr(0, kLimit));
  for (char& c : text)
    if (c == '\n') c = ' ';
  if (sql.size() > kLimit) text += "...";
  return text;
}

int open_flags(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Mode::existing:
      return SQLITE_OPEN_READWRITE;
    case Database::Mode::read_only:
      break;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

// ---- Statement

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) database.fail(code, sql);
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  const std::string sql = sqlite3_sql(handle_);
  const int extended = sqlite3_extended_errcode(database_->handle());
  struct Reset {  // fail() reads SQLite's message, which a reset would keep only by luck
    sqlite3_stmt* handle;
    ~Reset() { sqlite3_reset(handle); }
  } reset{handle_};
  database_->fail(extended, sql);
}

void Statement::reset() {
  sqlite3_reset(handle_);
}
int Statement::columns() const {
  return sqlite3_column_count(handle_);
}
std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(handle_, column);
  return name ? name : "";
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(handle_, column);
}
std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (!text) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}
Statement::Type Statement::type(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return Type::integer;
    case SQLITE_FLOAT:
      return Type::real;
    case SQLITE_NULL:
      return Type::null;
    default:
      return Type::text;
  }
}
bool Statement::read_only() const {
  return sqlite3_stmt_readonly(handle_) != 0;
}

void Statement::bind_at(int index, const Statement& row, int column) {
  const int code = sqlite3_bind_value(handle_, index, sqlite3_column_value(row.handle_, column));
  if (code != SQLITE_OK) database_->fail(code, "binding a value");
}
void Statement::bind_value(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_, index, value);
}
void Statement::bind_value(int index, double value) {
  sqlite3_bind_double(handle_, index, value);
}
void Statement::bind_value(int index, std::string_view value) {
  // A null pointer would be NULL; an empty text is not.
  sqlite3_bind_text(handle_, index, value.data() ? value.data() : "",
                    static_cast<int>(value.size()), SQLITE_STATIC);
}
void Statement::bind_value(int index, std::nullopt_t) {
  sqlite3_bind_null(handle_, index);
}

// ---- Database

Database::Database(const std::filesystem::path& file, Mode mode) : file_(file) {
  const int code = sqlite3_open_v2(file.c_str(), &handle_, open_flags(mode), nullptr);
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(handle_, 1);
    return;
  }
  // The constructor's exception means no destructor: close here.
  struct Close {
    sqlite3* handle;
    ~Close() { sqlite3_close_v2(handle); }
  } close{handle_};
  fail(handle_ ? sqlite3_extended_errcode(handle_) : code, "open");
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(sqlite3_extended_errcode(handle_), sql);
}

std::int64_t Database::integer(std::string_view sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(std::string_view sql) {
  Statement statement(*this, sql);
  return statement.step() ? std::string(statement.text(0)) : std::string();
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}
std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}
bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}
void Database::set_busy_timeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(handle_, static_cast<int>(timeout.count()));
}

void Database::fail(int code, std::string_view step) const {
  const std::string message = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const std::string text = file_.string() + ": " + cause(code) + " (SQLite: " + message +
                           ", code " + std::to_string(code) + ", while: " + shortened(step) +
                           "); " + remedy(code);
  switch (code & 0xff) {
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      throw BadRecord(text);
    case SQLITE_BUSY:
      throw DatabaseBusy(text);
    default:
      throw StorageError(text);
  }
}

// ---- Transaction

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!database_.in_transaction()) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const StorageError&) {  // closing the database rolls back as well
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
}

namespace {
std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result += quote;
}
}  // namespace

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}
std::string quote_text(std::string_view text) {
  return quoted(text, '\'');
}

}  // namespace windrow::storage
