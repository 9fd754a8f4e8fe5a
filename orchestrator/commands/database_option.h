// The option --db, alike in every command.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "storage/file_name.h"

namespace windrow::commands {

// `database`: a std::string or a path, which has its default. An empty WINDROW_DB counts as unset.
template <class File>
CLI::Option* add_database_option(CLI::App& command, File& database,
                                 const std::string& description = "database file") {
  return command.add_option("--db", database, description)
      ->envname("WINDROW_DB")
      ->check(CLI::Validator([](const std::string& name) { return storage::file_name_fault(name); },
                             ""))
      ->capture_default_str();
}

}  // namespace windrow::commands
