// windrow cancel: trials that are wanted no more, of a run or of what is still to be run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/commands/ask_run.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/results/stored_study.h"
#include "storage/quote.h"
#include "storage/store.h"

namespace windrow::commands {
namespace {

struct CancelOptions {
  std::vector<std::int64_t> trials;
  std::string where, study;
  std::string database = "windrow.db";
};

// Those that are not over. Throws std::runtime_error where a number is no trial's.
std::vector<TrialId> open_trials(storage::Reader& reader, const CancelOptions& options) {
  std::string sql = "SELECT trial, state FROM trials WHERE ";
  if (!options.where.empty()) {
    const std::string study = stored_study(reader, options.database, options.study).name;
    sql += "study = " + storage::quote_text(study) + " AND (" + options.where + "\n)";
  } else {
    std::string list;
    for (const std::int64_t trial : options.trials)
      list += (list.empty() ? "" : ", ") + std::to_string(trial);
    sql += "trial IN (" + list + ")";
  }
  const storage::ResultTable found = reader.query(sql);
  if (options.where.empty() && found.rows.size() < options.trials.size())
    throw std::runtime_error(
        "not all of these are trials; `windrow query \"SELECT trial, state "
        "FROM trials\"` lists them");
  std::vector<TrialId> open;
  for (const auto& row : found.rows) {
    const auto& state = std::get<std::string>(row[1]);
    if (state == "pending" || state == "running")
      open.push_back(TrialId{std::get<std::int64_t>(row[0])});
  }
  return open;
}

int cancel(CancelOptions options) {
  std::sort(options.trials.begin(), options.trials.end());
  options.trials.erase(std::unique(options.trials.begin(), options.trials.end()),
                       options.trials.end());
  std::vector<TrialId> open;
  {
    storage::Reader reader(options.database);
    open = open_trials(reader, options);
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
  auto* trials = command->add_option("trials", options->trials, "their numbers");
  command
      ->add_option("--where", options->where,
                   "instead: those for which this SQL holds, over the columns of the view `trials`")
      ->excludes(trials);
  command->add_option("--study", options->study,
                      "of which study, with --where (default: the only one there)");
  add_database_option(*command, options->database);
  command->footer(
      "They count as failed, `cancelled`, and are in no table's mean; `windrow retry` takes it "
      "back.\n"
      "It works on a run on any host, and between runs.\n\n"
      "Examples:\n"
      "  windrow cancel 12 13\n"
      "  windrow cancel --where \"optimizer = 'sgd' AND learning_rate > 0.1\"");
  command->callback([options, &exit_code] {
    if (options->trials.empty() && options->where.empty())
      throw CLI::RequiredError("trial numbers or --where");
    exit_code = cancel(*options);
  });
}

}  // namespace windrow::commands
