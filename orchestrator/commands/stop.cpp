// windrow stop: ends a run in good order, from any host.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "orchestrator/commands/ask_run.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"

namespace windrow::commands {
namespace {

struct StopOptions {
  std::string database = "windrow.db";
  bool now = false;
};

int stop(const StopOptions& options) {
  if (const std::string fault = no_run_fault(options.database); !fault.empty()) {
    std::cerr << "windrow: " << fault << "\n";
    return kSomeFailed;
  }
  return ask_run(options.database, {.kind = control::Request::Kind::stop,
                                    .now = options.now,
                                    .trials = {},
                                    .by = control::this_user()});
}

}  // namespace

void add_stop(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StopOptions>();
  CLI::App* command =
      app.add_subcommand("stop", "End the run that works on a database, from any host");
  add_database_option(*command, options->database);
  command->add_flag("--now", options->now, "without the end of the epochs in progress");
  command->footer(
      "The epochs in progress are finished and recorded; a batch job of `windrow submit` doesn't\n"
      "come back. The same command (or another submit) goes on later. Exit code 1: no run there.");
  command->callback([options, &exit_code] { exit_code = stop(*options); });
}

}  // namespace windrow::commands
