// A thin RAII wrapper over SQLite's C interface, internal to storage/. Every error is a
// StorageError that names the file, what was being done, SQLite's own message and a remedy.
//
// A Database and its Statements belong to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "storage/error.h"
#include "storage/quote.h"

struct sqlite3;
struct sqlite3_stmt;

namespace windrow::storage {

class Database;

// A prepared statement. Texts are bound by reference: what is given to bind() must outlive the
// steps that follow.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Starts anew with these values for ?1, ?2, ...
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_value(++index, values), ...);
    return *this;
  }
  // True: a row is there to be read with the accessors below. False: done (and reset).
  bool step();
  // One value: a number, or what another statement's present row has in a column.
  void bind_at(int index, std::int64_t value) { bind_value(index, value); }
  void bind_at(int index, const Statement& row, int column);
  // bind(), then steps to the end.
  template <class... Values>
  void run(const Values&... values) {
    bind(values...);
    while (step()) {
    }
  }
  // bind(), then one step.
  template <class... Values>
  bool row(const Values&... values) {
    bind(values...);
    return step();
  }
  void reset();

  // Columns of the present row, from 0. The view returned by text() lives until the next step.
  int columns() const;
  std::string column_name(int column) const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  enum class Type { null, integer, real, text };
  Type type(int column) const;

  bool read_only() const;  // it writes nothing to the database

 private:
  void bind_value(int index, std::int64_t value);
  void bind_value(int index, double value);  // NaN becomes NULL
  void bind_value(int index, std::string_view value);
  void bind_value(int index, std::nullopt_t);
  template <class T>
  requires std::is_integral_v<T>
  void bind_value(int index, T value) { bind_value(index, static_cast<std::int64_t>(value)); }
  void bind_value(int index, const std::string& value) {
    bind_value(index, std::string_view(value));
  }
  void bind_value(int index, const char* value) { bind_value(index, std::string_view(value)); }
  template <class T>
  void bind_value(int index, const std::optional<T>& value) {
    if (value) {
      bind_value(index, *value);
    } else {
      bind_value(index, std::nullopt);
    }
  }

  Database* database_;
  sqlite3_stmt* handle_ = nullptr;
};

class Database {
 public:
  enum class Mode {
    create,     // read and write; made where it is missing
    existing,   // read and write; must be there
    read_only,  // must be there; nothing is ever written
  };
  Database(const std::filesystem::path& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that give no rows (rows are passed over).
  void execute(const std::string& sql);
  Statement prepare(std::string_view sql) { return Statement(*this, sql); }
  // The first column of the first row; 0 or "" where there is none.
  std::int64_t integer(std::string_view sql);
  std::string text(std::string_view sql);

  std::int64_t changes() const;         // rows changed by the last INSERT, UPDATE or DELETE
  std::int64_t last_insert_id() const;  // rowid of the last INSERT
  bool in_transaction() const;
  // How long a statement waits for other programs' locks before it fails.
  void set_busy_timeout(std::chrono::milliseconds timeout);

  const std::filesystem::path& file() const { return file_; }
  sqlite3* handle() const { return handle_; }
  // Throws what SQLite reports for `code` (SQLITE_...) while doing `step`.
  [[noreturn]] void fail(int code, std::string_view step) const;

 private:
  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
};

// BEGIN IMMEDIATE ... COMMIT; rolled back when it leaves scope without commit().
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
};

}  // namespace windrow::storage
