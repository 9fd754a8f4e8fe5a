#include "storage/reader_query.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace windrow::storage {

ResultTable fetch(Statement& statement) {
  ResultTable table;
  const int width = statement.columns();
  for (int i = 0; i < width; ++i) table.columns.push_back(statement.column_name(i));
  while (statement.step()) {
    auto& row = table.rows.emplace_back(static_cast<std::size_t>(width));
    for (int i = 0; i < width; ++i) {
      Value& value = row[static_cast<std::size_t>(i)];
      switch (statement.type(i)) {
        case Statement::Type::null:
          break;
        case Statement::Type::integer:
          value = statement.integer(i);
          break;
        case Statement::Type::real:
          value = statement.real(i);
          break;
        case Statement::Type::text:
          value = std::string(statement.text(i));
          break;
      }
    }
  }
  return table;
}

ResultTable without_empty_columns(ResultTable table) {
  constexpr auto kAlways = std::to_array<std::string_view>(
      {"trial", "study", "stages", "cell", "seed", "state", "attempts", "epochs", "wall_seconds",
       "failure", "host", "device", "n", "epoch", "attempt", "state_hash", "committed_at"});
  ResultTable result;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool always =
        std::find(kAlways.begin(), kAlways.end(), table.columns[i]) != kAlways.end();
    const auto is_set = [i](const std::vector<Value>& row) { return row[i].index() != 0; };
    if (always || std::any_of(table.rows.begin(), table.rows.end(), is_set)) kept.push_back(i);
  }
  if (kept.size() == table.columns.size()) return table;
  for (const std::size_t i : kept) result.columns.push_back(table.columns[i]);
  for (auto& row : table.rows) {
    auto& narrow = result.rows.emplace_back();
    for (const std::size_t i : kept) narrow.push_back(std::move(row[i]));
  }
  return result;
}

namespace {

// Reading is all a user's statement may do; the connection's own guards stand behind this one.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_PRAGMA: {
      constexpr auto kDescribing = std::to_array<std::string_view>(
          {"table_info", "table_xinfo", "table_list", "index_list", "index_info",
           "foreign_key_list", "integrity_check", "quick_check"});
      const bool describing =
          std::find(kDescribing.begin(), kDescribing.end(), first) != kDescribing.end();
      return second == nullptr || describing ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

struct Authorizer {
  explicit Authorizer(sqlite3* handle) : handle(handle) {
    sqlite3_set_authorizer(handle, authorize, nullptr);
  }
  ~Authorizer() { sqlite3_set_authorizer(handle, nullptr, nullptr); }
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;
  sqlite3* handle;
};

struct Finalize {
  sqlite3_stmt* handle = nullptr;
  ~Finalize() { sqlite3_finalize(handle); }
};

constexpr const char* kHint =
    "; the views are trials, epochs, attempts, failures, summary, trial_metrics, epoch_metrics, "
    "artefacts, confusion, class_accuracy, programs, sources and environments, and `PRAGMA "
    "table_info(trials)` lists a view's "
    "columns";

// Throws what SQLite, or we, have against a user's statement; returns when it is one reading one.
void check_user_query(Database& database, const std::string& sql) {
  const auto refuse = [&](const std::string& why) {
    throw StorageError(database.file().string() + ": the query is refused: " + why + kHint);
  };
  Finalize statement;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement.handle, &rest);
  if (code == SQLITE_AUTH) refuse("only statements that read are allowed");
  if (code != SQLITE_OK) refuse(sqlite3_errmsg(database.handle()));
  if (!statement.handle) refuse("it is empty");
  if (!sqlite3_stmt_readonly(statement.handle)) refuse("only statements that read are allowed");
  Finalize second;
  while (*rest && !second.handle) {  // passes over blanks and comments
    const char* begin = rest;
    if (sqlite3_prepare_v2(database.handle(), begin, -1, &second.handle, &rest) != SQLITE_OK ||
        second.handle)
      refuse("give one statement at a time");
  }
}

}  // namespace

ResultTable run_user_query(Database& database, const std::string& sql) {
  const Authorizer authorizer(database.handle());
  check_user_query(database, sql);
  Statement statement(database, sql);
  return fetch(statement);
}

}  // namespace windrow::storage
