#include "storage/file_name.h"

namespace windrow::storage {

std::string file_name_fault(const std::string& name) {
  if (name.empty())
    return "the database's name is empty (a variable that is not set?); name a file with --db";
  if (name.starts_with(":memory:"))
    return name + ": is SQLite's database in memory, which keeps nothing; name a file with --db";
  if (name.starts_with("file:"))
    return name + ": is a URI, not a file's name; give the path alone with --db";
  return "";
}

}  // namespace windrow::storage
