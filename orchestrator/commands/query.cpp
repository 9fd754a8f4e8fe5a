// windrow query: one SELECT over the database's views.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "storage/reader.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

struct QueryOptions {
  std::string sql;
  std::string database = "windrow.db";
  std::string format;
  bool json = false;
};

int answer(const QueryOptions& options) {
  storage::Reader reader(options.database);
  // People get aligned columns; what reads from a pipe gets every digit.
  std::string format = isatty(STDOUT_FILENO) != 0 ? "text" : "csv";
  if (!options.format.empty()) format = options.format;
  if (options.json) format = "json";
  std::cout << storage::format_table(reader.query(options.sql), *storage::table_style(format));
  return kAllDone;
}

}  // namespace

void add_query(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* query = app.add_subcommand(
      "query", "Ask the database with SQL: views trials, epochs, attempts, failures, summary");
  query->add_option("sql", options->sql, "one SELECT statement")->required();
  add_database_option(*query, options->database);
  query
      ->add_option("--format", options->format,
                   "text, markdown, latex, csv or json (default: text on a terminal, else csv)")
      ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "json"}));
  query->add_flag("--json", options->json, "the same as --format json");
  query->footer(
      "It only reads, also while a run writes. docs/database.md explains each column.\n\n"
      "Examples:\n"
      "  windrow query \"SELECT trial, state, epochs, host FROM trials WHERE state <> "
      "'finished'\"\n"
      "  windrow query \"SELECT optimizer, train_loss_mean, train_loss_ci95 FROM summary\"\n"
      "  windrow query \"SELECT * FROM epochs WHERE trial = 3\" > curve.csv");
  query->callback([options, &exit_code] { exit_code = answer(*options); });
}

}  // namespace windrow::commands
