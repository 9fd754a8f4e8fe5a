// windrow retry: failed trials become pending again.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/results/stored_study.h"
#include "storage/store.h"

namespace windrow::commands {
namespace {

struct RetryOptions {
  std::string study;
  std::string database = "windrow.db";
};

int retry(const RetryOptions& options) {
  std::string name;
  {  // a database that isn't there is not made
    storage::Reader reader(options.database);
    name = stored_study(reader, options.database, options.study).name;
  }
  storage::Store store(options.database);
  const int trials = store.reset_failed(name);
  std::cout << name << ": " << trials << (trials == 1 ? " failed trial is" : " failed trials are")
            << " pending again"
            << (trials > 0 ? "; `windrow run` or `windrow resume` runs them" : "") << "\n";
  return kAllDone;
}

}  // namespace

void add_retry(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RetryOptions>();
  CLI::App* command = app.add_subcommand(
      "retry", "Make a study's failed trials pending again, with fresh retry budgets");
  command->add_option("study", options->study, "its name (default: the only one there)");
  add_database_option(*command, options->database);
  command->footer(
      "For when the cause is mended: a full disk, a bad node, a bug in the training script.\n"
      "Their failures stay recorded. Refused while a run has the database.\n\n"
      "Example:\n"
      "  windrow query \"SELECT * FROM failures\"\n"
      "  windrow retry && windrow run study.yaml");
  command->callback([options, &exit_code] { exit_code = retry(*options); });
}

}  // namespace windrow::commands
