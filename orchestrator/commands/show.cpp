// windrow show: all about one trial.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "storage/reader.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using nlohmann::ordered_json;
using storage::TableStyle;

constexpr std::size_t kListed = 8;  // facts of an environment that are longer are counted

struct ShowOptions {
  std::int64_t trial = 0;
  int epochs = 10;
  std::string database = "windrow.db";
  bool json = false;
};

storage::ResultTable one_row(const storage::TrialDetails& details) {
  storage::ResultTable table;
  table.rows.emplace_back();
  for (const auto& [column, value] : details.trial) {
    table.columns.push_back(column);
    table.rows[0].push_back(value);
  }
  return table;
}

ordered_json as_json(const storage::ResultTable& table) {
  return ordered_json::parse(storage::format_table(table, TableStyle::json));
}

// Columns that hold JSON as what they hold.
ordered_json with_json(const storage::ResultTable& table, const std::vector<std::string>& columns) {
  ordered_json rows = as_json(table);
  for (ordered_json& row : rows)
    for (const std::string& column : columns)
      row[column] = ordered_json::parse(row[column].get<std::string>());
  return rows;
}

void print_json(const storage::TrialDetails& details) {
  ordered_json artefacts = ordered_json::object();
  for (const auto& [name, json] : details.artefacts) artefacts[name] = ordered_json::parse(json);
  std::cout << ordered_json{{"trial", as_json(one_row(details)).at(0)},
                            {"parameters", ordered_json::parse(details.parameters)},
                            {"attempts", as_json(details.attempts)},
                            {"programs", with_json(details.programs, {"command", "files"})},
                            {"sources", as_json(details.sources)},
                            {"environments", with_json(details.environments, {"facts"})},
                            {"failures", as_json(details.failures)},
                            {"epochs", as_json(details.epochs)},
                            {"artefacts", artefacts}}
                   .dump(2)
            << "\n";
}

// A column a line, those without a value left out.
void print_facts(const storage::TrialDetails& details) {
  storage::ResultTable facts{{"", ""}, {}};
  for (const auto& [column, value] : details.trial)
    if (!std::holds_alternative<std::monostate>(value)) facts.rows.push_back({column, value});
  const std::string text = storage::format_table(facts, TableStyle::text);
  // Without the two lines of the (empty) heading.
  std::size_t begin = 0;
  for (int line = 0; line < 2; ++line) begin = text.find('\n', begin) + 1;
  std::cout << text.substr(begin);
}

// Columns in which nothing stands (of a batch system, where there is none) tell people nothing.
storage::ResultTable without_empty_columns(storage::ResultTable table) {
  for (std::size_t i = table.columns.size(); i-- > 0;) {
    const bool empty = std::ranges::all_of(table.rows, [&](const auto& row) {
      return std::holds_alternative<std::monostate>(row[i]);
    });
    if (!empty) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    table.columns.erase(table.columns.begin() + at);
    for (auto& row : table.rows) row.erase(row.begin() + at);
  }
  return table;
}

void print_section(const std::string& heading, storage::ResultTable table) {
  if (table.rows.empty()) return;
  table = without_empty_columns(std::move(table));
  std::cout << "\n" << heading << "\n" << storage::format_table(table, TableStyle::text);
}

// The failures' stderr has lines of its own and stands below, not in a column.
void print_failures(storage::ResultTable failures) {
  std::string tails;
  for (std::size_t column = 0; column < failures.columns.size(); ++column) {
    if (failures.columns[column] != "stderr_tail") continue;
    for (auto& row : failures.rows) {
      if (const auto* tail = std::get_if<std::string>(&row[column]); tail && !tail->empty())
        tails += "\nstderr of the attempt that failed:\n" + *tail + "\n";
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
    }
    failures.columns.erase(failures.columns.begin() + static_cast<std::ptrdiff_t>(column));
    break;
  }
  print_section("failures", failures);
  std::cout << tails;
}

// What made it, in lines: the columns hold JSON and diffs.
void print_origin(const storage::TrialDetails& details) {
  for (const ordered_json& row : with_json(details.programs, {"command", "files"})) {
    std::cout << "\nprogram " << row["program"].get<std::string>() << "\n  command:";
    for (const ordered_json& word : row["command"]) std::cout << " " << word.get<std::string>();
    std::cout << "\n";
    for (const auto& [file, hash] : row["files"].items())
      std::cout << "  " << file << "  " << hash.get<std::string>() << "\n";
  }
  for (const ordered_json& row : as_json(details.sources)) {
    const auto diff = row["git_diff"].get<std::string>();
    std::cout << "\nsource " << row["source"] << "\n  git commit "
              << row["git_commit"].get<std::string>();
    if (row["git_dirty"] == 1)
      std::cout << " with changes that are not committed (" << diff.size()
                << " bytes; --json has them)";
    std::cout << "\n";
  }
  for (const ordered_json& row : with_json(details.environments, {"facts"})) {
    std::cout << "\nenvironment " << row["environment"] << "\n";
    for (const auto& [name, fact] : row["facts"].items()) {
      std::cout << "  " << name << ": ";
      if (fact.is_string())
        std::cout << fact.get<std::string>();
      else if (fact.size() > kListed)
        std::cout << fact.size() << " (--json lists them)";
      else
        std::cout << fact.dump();
      std::cout << "\n";
    }
  }
}

int show(const ShowOptions& options) {
  storage::Reader reader(options.database);
  const storage::TrialDetails details = reader.show(options.trial, options.epochs);
  if (options.json) {
    print_json(details);
    return kAllDone;
  }
  print_facts(details);
  print_section("attempts", details.attempts);
  print_origin(details);
  print_failures(details.failures);
  print_section(options.epochs == 0 ? "epochs" : "last epochs", details.epochs);
  for (const auto& [name, json] : details.artefacts)
    std::cout << "\n" << name << "\n" << json << "\n";
  return kAllDone;
}

}  // namespace

void add_show(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = app.add_subcommand(
      "show", "All about one trial: parameters, attempts, failures, epochs, artefacts");
  command->add_option("trial", options->trial, "its number, as in the view `trials`")->required();
  command->add_option("--epochs", options->epochs, "how many of the last epochs; 0 = all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_database_option(*command, options->database);
  command->add_flag("--json", options->json, "one JSON object");
  command->footer(
      "Examples:\n"
      "  windrow show 12\n"
      "  windrow show 12 --json | jq .parameters");
  command->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace windrow::commands
