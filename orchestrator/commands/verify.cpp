// windrow verify: are the numbers on record those that the same training gives again?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "orchestrator/commands/agent_options.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/trial_choice.h"
#include "orchestrator/results/verified.h"
#include "orchestrator/session/run_session.h"
#include "orchestrator/session/scratch_folder.h"
#include "storage/table_format.h"
#include "sweeps/part_of_study.h"

namespace windrow::commands {
namespace {

using storage::Value;
using sweeps::Json;

struct VerifyOptions {
  TrialChoice choice;
  int sample = 0, epochs = 0;
  bool json = false;
  std::string database = "windrow.db";
  RunOptions run;
};

struct Chosen {
  std::int64_t trial = 0, seed = 0;
  std::string cell;
  Json parameters;
};

struct Outcome {
  Chosen trial;
  Verified verified;
  std::string recorded_by, now_by;
};

// By number or condition, else some finished ones by chance.
std::vector<Chosen> choose(storage::Reader& reader, const VerifyOptions& options,
                           const std::string& study) {
  std::vector<std::int64_t> wanted;
  if (options.choice.trials.empty() && options.choice.where.empty()) {
    for (const storage::TrialInfo& trial : reader.trials(study))
      if (trial.state == storage::TrialState::finished) wanted.push_back(trial.trial);
    std::shuffle(wanted.begin(), wanted.end(), std::mt19937_64(std::random_device()()));
    wanted.resize(std::min(wanted.size(), static_cast<std::size_t>(std::max(options.sample, 1))));
  } else {
    for (const auto& [trial, state] : chosen_trials(reader, options.database, options.choice))
      wanted.push_back(trial.value);
  }
  std::map<std::string, Json> parameters;
  for (const storage::CellRecord& cell : reader.cells(study))
    parameters.emplace(cell.hash, cell.parameters);
  std::vector<Chosen> chosen;
  for (const storage::TrialInfo& trial : reader.trials(study))
    if (std::ranges::find(wanted, trial.trial) != wanted.end())
      chosen.push_back({trial.trial, trial.seed, trial.cell, parameters.at(trial.cell)});
  if (chosen.size() < wanted.size())
    throw std::runtime_error("the trials are of several studies; verify them study by study");
  if (chosen.empty()) throw std::runtime_error("study " + study + " has no finished trial");
  return chosen;
}

// Trains them again, all of one seed, into a database of its own, and compares.
std::vector<Outcome> train_again(storage::Reader& record, const VerifyOptions& options,
                                 const sweeps::Study& study, const std::vector<Chosen>& trials) {
  const ScratchFolder scratch(options.database, "verify");
  const std::string budget = sweeps::budget_parameter(study);
  std::vector<Json> parameters;
  std::multimap<std::string, const Chosen*> by_cell;  // hash of the cell as it is trained now
  for (const Chosen& trial : trials) {
    Json shorter = trial.parameters;
    if (options.epochs > 0 && !budget.empty() && shorter.contains(budget))
      shorter[budget] = std::min(shorter[budget].get<int>(), options.epochs);
    by_cell.emplace(sweeps::cell_hash(study, shorter), &trial);
    parameters.push_back(std::move(shorter));
  }
  RunOptions run = options.run;
  run.study_file = scratch.path() / "study.yaml";
  run.database = scratch.path() / "windrow.db";
  std::ofstream(run.study_file)
      << sweeps::part_of_study(study, parameters, {trials.front().seed}).text << std::flush;
  if (const int exit_code = run_session(run); exit_code == kInterrupted)
    throw std::runtime_error("stopped before all was trained again");
  else if (exit_code != kAllDone && exit_code != kSomeFailed)
    throw std::runtime_error("the trials can't be trained again");
  storage::Reader again(run.database);
  std::vector<Outcome> outcomes;
  for (const storage::TrialInfo& now : again.trials(study.name)) {
    const auto [begin, end] = by_cell.equal_range(now.cell);  // several where --epochs is all alike
    for (auto at = begin; at != end; ++at)
      outcomes.push_back({*at->second,
                          verify(recorded_epochs(record, at->second->trial),
                                 recorded_epochs(again, now.trial), options.epochs),
                          computed_by(record, at->second->trial), computed_by(again, now.trial)});
  }
  return outcomes;
}

std::string verdict_of(const Outcome& outcome) {
  const Verified& verified = outcome.verified;
  if (verified.compared == 0) return "nothing to compare: no epoch was trained again";
  if (verified.differs_at > 0) {
    std::string text =
        "DIFFERS from epoch " + std::to_string(verified.differs_at) + " on: " + verified.what;
    if (outcome.recorded_by != outcome.now_by)
      text += " (trained on " + outcome.recorded_by + ", here on " + outcome.now_by + ")";
    return text;
  }
  return verified.by_state == verified.compared ? "the same to the bit" : "the same numbers";
}

int tell(const std::vector<Outcome>& outcomes, bool json) {
  storage::ResultTable table{{"trial", "seed", "epochs", "missing", "verdict"}, {}};
  int wrong = 0;
  for (const Outcome& outcome : outcomes) {
    wrong += !outcome.verified.holds() || outcome.verified.missing > 0;
    table.rows.push_back({outcome.trial.trial, outcome.trial.seed,
                          std::int64_t{outcome.verified.compared},
                          std::int64_t{outcome.verified.missing}, verdict_of(outcome)});
  }
  std::cout << storage::format_table(
      table, json ? storage::TableStyle::json : storage::TableStyle::text, {});
  return wrong == 0 ? kAllDone : kSomeFailed;
}

int verify_trials(const VerifyOptions& options) {
  storage::Reader record(options.database);
  std::string study_name = options.choice.study;
  if (!options.choice.trials.empty())
    for (const auto& [key, value] : record.show(options.choice.trials.front(), 1).trial)
      if (key == "study") study_name = std::get<std::string>(value);
  const storage::StudyInfo stored = stored_study(record, options.database, study_name);
  const sweeps::Study study = sweeps::parse_study(stored.text, options.database);
  if (options.epochs > 0 && sweeps::budget_parameter(study).empty())
    throw std::runtime_error(
        "--epochs needs to know the parameter that says how long a trial trains; name it with "
        "`budget` under trainer: in the study");
  std::map<std::int64_t, std::vector<Chosen>> by_seed;
  for (Chosen& trial : choose(record, options, study.name))
    by_seed[trial.seed].push_back(std::move(trial));
  std::vector<Outcome> outcomes;
  for (const auto& [seed, trials] : by_seed)
    for (Outcome& outcome : train_again(record, options, study, trials))
      outcomes.push_back(std::move(outcome));
  std::ranges::sort(outcomes, {}, [](const Outcome& outcome) { return outcome.trial.trial; });
  return tell(outcomes, options.json);
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  options->run.verbosity = Console::Verbosity::quiet;
  CLI::App* command = app.add_subcommand(
      "verify", "Train trials again and compare each epoch with what is on record");
  add_trial_choice(*command, options->choice);
  command
      ->add_option("--sample", options->sample,
                   "without trials: so many finished ones, chosen by chance (default: 1)")
      ->check(CLI::PositiveNumber);
  command->add_option("--epochs", options->epochs, "only so many from the first (default: all)")
      ->check(CLI::PositiveNumber);
  add_slot_options(*command, options->run.slots);
  command->add_option("--data", options->run.data_dir, "as of `windrow run`");
  command->add_option("--trainer", options->run.trainer, "path of windrow-trainer");
  command->add_flag("--json", options->json, "as JSON");
  add_database_option(*command, options->database);
  command->footer(
      "The same parameters, seed, data and program give the same numbers on the same kind of "
      "device: "
      "of\nwindrow-trainer to the bit of weights and optimizer, of a program of your own as far as "
      "it "
      "is written so.\nWhat is trained again goes into a folder beside the database, which is "
      "removed; "
      "the database isn't\ntouched. Exit code 1: something differs.\n\n"
      "Examples:\n"
      "  windrow verify 17\n"
      "  windrow verify --sample 5 --epochs 3");
  command->callback([options, &exit_code] { exit_code = verify_trials(*options); });
}

}  // namespace windrow::commands
