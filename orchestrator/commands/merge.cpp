// windrow merge: other databases' results into one.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "storage/store.h"

namespace windrow::commands {
namespace {

struct MergeOptions {
  std::string database = "windrow.db";
  std::vector<std::string> others;
};

std::string trials(int count) {
  return std::to_string(count) + (count == 1 ? " trial" : " trials");
}

// Whether there were conflicts.
bool tell(const std::string& other, const storage::MergeReport& report) {
  std::cout << other << ": " << trials(report.taken) << " taken";
  if (report.same > 0) std::cout << ", " << report.same << " the same in both";
  if (report.failed_here_finished > 0)
    std::cout << ", " << report.failed_here_finished << " failed there and finished here";
  if (report.unfinished > 0)
    std::cout << ", " << report.unfinished
              << " not over there and left (their checkpoints are that database's)";
  std::cout << "\n";
  for (const std::string& study : report.other_texts)
    std::cerr << "windrow: " << other << " has another text of study " << study
              << "; that of this database stays\n";
  for (const storage::MergeConflict& one : report.conflicts)
    std::cerr << "windrow: " << one.study << ": trial " << one.trial << " here and " << one.other
              << " in " << other << " are the same cell and seed, but differ in " << one.what
              << "; this database's stays\n";
  return !report.conflicts.empty();
}

int merge(const MergeOptions& options) {
  storage::Store store(options.database);
  bool conflicts = false;
  for (const std::string& other : options.others)
    conflicts = tell(other, store.merge(other)) || conflicts;
  return conflicts ? kSomeFailed : kAllDone;
}

}  // namespace

void add_merge(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* command = app.add_subcommand(
      "merge", "Take other databases' results into one, each cell and seed once");
  command->add_option("databases", options->others, "the databases to take from, which stay")
      ->required();
  add_database_option(*command, options->database, "database to take into, made where missing");
  command->footer(
      "Trials that are finished or failed there, and not yet over here, are taken with their "
      "attempts,\nepochs and results. Same cells and seeds are taken once; where both are finished "
      "and differ,\nthat is told, this database's stays, and the exit code is 1.\n\n"
      "Example:\n"
      "  windrow merge --db all.db cluster-a.db cluster-b.db");
  command->callback([options, &exit_code] { exit_code = merge(*options); });
}

}  // namespace windrow::commands
