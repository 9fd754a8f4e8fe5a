#include "orchestrator/session/checkpoint_owner.h"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "orchestrator/control/whole_file.h"
#include "storage/reader.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path owner_file(const fs::path& root) {
  return root / "owner.json";
}

fs::path true_path(const fs::path& path) {
  return fs::weakly_canonical(fs::absolute(path));
}

std::string id_of(const fs::path& database) {
  storage::Reader reader(database);
  const auto rows = reader.query("SELECT database_id FROM identity").rows;
  return rows.empty() ? "" : std::get<std::string>(rows[0][0]);
}

// What can't be looked into may be a database.
bool is_no_database(const fs::path& file) {
  constexpr std::string_view kBegin("SQLite format 3\0", 16);
  std::ifstream in(file, std::ios::binary);
  if (!in) return false;
  std::array<char, kBegin.size()> begin{};
  in.read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) != kBegin;
}

struct Owner {
  fs::path database;
  fs::path root;  // where it was then
};

std::optional<Owner> read_owner(const fs::path& root) {
  try {
    const json fields = json::parse(control::read_whole_file(owner_file(root)));
    return Owner{fields.at("database").get<std::string>(), fields.at("folder").get<std::string>()};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<fs::path> original_of(const fs::path& database, const fs::path& root) {
  const auto owner = read_owner(root);
  if (!owner || owner->root != true_path(root)) return std::nullopt;
  std::error_code error;
  if (!fs::exists(owner->database, error) || fs::equivalent(owner->database, database, error))
    return std::nullopt;
  if (is_no_database(owner->database)) return std::nullopt;
  try {
    if (id_of(owner->database) != id_of(database)) return std::nullopt;
  } catch (const storage::StorageError&) {  // locked, or of a newer version: it may be
  }
  return owner->database;
}

void own_checkpoints(const fs::path& database, const fs::path& root) {
  const std::string text =
      json{{"database", true_path(database).string()}, {"folder", true_path(root).string()}}.dump(
          1, ' ', false, json::error_handler_t::replace) +
      "\n";
  std::error_code ignored;  // writing tells
  fs::create_directories(root, ignored);
  const std::string fault = control::write_whole_file(owner_file(root), text);
  if (!fault.empty()) throw std::runtime_error(fault + "; name another folder with --checkpoints");
}

}  // namespace windrow
