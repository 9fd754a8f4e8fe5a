// windrow cancel: trials that are wanted no more, of a run or of what is still to be run.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/commands/ask_run.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/trial_choice.h"
#include "storage/store.h"

namespace windrow::commands {
namespace {

struct CancelOptions {
  TrialChoice choice;
  std::string database = "windrow.db";
};

int cancel(const CancelOptions& options) {
  std::vector<TrialId> open;
  {
    storage::Reader reader(options.database);
    for (const auto& [trial, state] : chosen_trials(reader, options.database, options.choice))
      if (state == "pending" || state == "running") open.push_back(trial);
  }
  if (open.empty()) {
    std::cout << "0 trials are cancelled: none of them is pending or runs\n";
    return kAllDone;
  }
  const std::string by = control::this_user();
  if (no_run_fault(options.database).empty())
    return ask_run(options.database,
                   {.kind = control::Request::Kind::cancel, .trials = open, .by = by});
  storage::Store store(options.database);
  for (const TrialId trial : open)
    store.record(storage::TrialFailed{trial, protocol::FailureKind::cancelled});
  store.record(storage::Event{"cancel", std::to_string(open.size()) + " trials by " + by});
  store.flush();
  std::cout << open.size() << (open.size() == 1 ? " trial is" : " trials are") << " cancelled\n";
  return kAllDone;
}

}  // namespace

void add_cancel(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CancelOptions>();
  CLI::App* command = app.add_subcommand(
      "cancel", "Trials that are wanted no more: what runs is ended, what waits is not begun");
  add_trial_choice(*command, options->choice);
  add_database_option(*command, options->database);
  command->footer(
      "They count as failed, `cancelled`, and are in no table's mean; `windrow retry` takes it "
      "back.\n"
      "It works on a run on any host, and between runs.\n\n"
      "Examples:\n"
      "  windrow cancel 12 13\n"
      "  windrow cancel --where \"optimizer = 'sgd' AND learning_rate > 0.1\"");
  command->callback([options, &exit_code] { exit_code = cancel(*options); });
}

}  // namespace windrow::commands
