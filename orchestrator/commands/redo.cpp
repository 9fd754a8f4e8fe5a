// windrow redo: trials that are to be trained anew.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/trial_choice.h"
#include "orchestrator/session/run_program.h"
#include "storage/store.h"

namespace windrow::commands {
namespace {

struct RedoOptions {
  TrialChoice choice;
  std::string database = "windrow.db";
};

int redo(const RedoOptions& options) {
  std::vector<TrialId> trials;
  std::string checkpoints;
  {
    storage::Reader reader(options.database);
    for (const auto& [trial, state] : chosen_trials(reader, options.database, options.choice))
      trials.push_back(trial);
    checkpoints = reader.checkpoints_of(trials.empty() ? 0 : trials.front().value);
  }
  storage::Store store(options.database);
  const int taken = redo_trials(store, trials, checkpoints);
  store.record(storage::Event{"redo", std::to_string(taken) + " trials"});
  store.flush();
  std::cout << taken << (taken == 1 ? " trial is" : " trials are") << " taken back"
            << (taken > 0 ? "; `windrow run` or `windrow resume` trains them anew" : "") << "\n";
  return kAllDone;
}

}  // namespace

void add_redo(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RedoOptions>();
  CLI::App* command = app.add_subcommand(
      "redo", "Take trials back, finished ones too, to be trained from the beginning");
  add_trial_choice(*command, options->choice);
  add_database_option(*command, options->database);
  command->footer(
      "For when the program or the data were wrong. Their epochs and results go; their attempts\n"
      "stay on record, with the results that they made (`windrow show`). Refused while a run has\n"
      "the database. `windrow run --program changed=redo` does it for all that another program "
      "made.\n\n"
      "Examples:\n"
      "  windrow redo 12 13\n"
      "  windrow redo --where \"optimizer = 'sgd' AND test_loss > 2\"");
  command->callback([options, &exit_code] { exit_code = redo(*options); });
}

}  // namespace windrow::commands
