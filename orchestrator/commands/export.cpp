// windrow export: a trained model as a file, and a study's results in other tools' forms.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/coordinator/trial_folder.h"
#include "orchestrator/export/results_script.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/results/stored_study.h"
#include "orchestrator/session/preflight.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::optional<std::int64_t> trial;
  std::string format, to, study, trainer, checkpoints;
  std::string python = "python3";
  std::string database = "windrow.db";
};

// Runs it to its end; what it says goes on to our own stdout and stderr.
int run_to_end(const std::vector<std::string>& argv) {
  EventLoop loop;
  GuardPool guards(loop);
  const auto pass_on = [](std::ostream& out) {
    return [&out](std::string_view line) { out << line << "\n" << std::flush; };
  };
  ChildProcess process(guards, {argv, {}},
                       {.on_stdout = pass_on(std::cout), .on_stderr = pass_on(std::cerr)});
  std::optional<ChildExit> exit;
  while (!exit) {
    loop.run_once(std::chrono::milliseconds(200));
    exit = process.poll_exit();
  }
  if (exit->code == 0) return kAllDone;
  if (!exit->code) std::cerr << "windrow: " << argv[0] << ": " << exit->describe() << "\n";
  return kUsage;
}

// The newest one of the trial, where it was trained anew; else the one that should be there.
fs::path folder_of(const fs::path& checkpoints, TrialId trial) {
  fs::path newest = checkpoints / trial_folder(trial, 0);
  int redone = -1;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto folder = trial_of_folder(entry.path().filename().string());
    if (!folder || folder->trial != trial || folder->redone <= redone) continue;
    redone = folder->redone;
    newest = entry.path();
  }
  return newest;
}

int export_model(const ExportOptions& options) {
  storage::Reader reader(options.database);
  const storage::TrialDetails details = reader.show(*options.trial, 1);
  const auto column = [&](const std::string& name) {
    for (const auto& [key, value] : details.trial)
      if (key == name) {
        const auto* text = std::get_if<std::string>(&value);
        return text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value));
      }
    return std::string();
  };
  const std::string name = std::to_string(*options.trial), study_name = column("study");
  const fs::path folder = folder_of(
      options.checkpoints.empty() ? reader.checkpoints_of(*options.trial) : options.checkpoints,
      TrialId{*options.trial});
  const sweeps::Study study =
      sweeps::parse_study(stored_study(reader, options.database, study_name).text, "the database");
  if (study.task.empty())
    throw std::runtime_error("trial " + name +
                             " was trained by a program of your own, whose files only it can read; "
                             "they are in " +
                             folder.string());
  if (!fs::is_directory(folder))
    throw std::runtime_error(
        "trial " + name + " has no checkpoint: " + folder.string() +
        " is not there; `keep` in the study says whose stay (docs/study-file.md, Going on)");
  const std::string file =
      options.to.empty() ? study_name + "-trial-" + name + ".safetensors" : options.to;
  const int exit_code = run_to_end(
      {trainer_program(options.trainer), "--export", folder.string(), file, "study=" + study_name,
       "task=" + study.task, "trial=" + name, "cell=" + column("cell"), "seed=" + column("seed"),
       "parameters=" + details.parameters, "state=" + column("state")});
  if (exit_code == kAllDone) std::cout << file << "\n";
  return exit_code;
}

int export_results(const ExportOptions& options) {
  storage::Reader reader(options.database);
  const std::string study = stored_study(reader, options.database, options.study).name;
  return run_to_end({options.python, "-c", std::string(exporting::results_script), options.format,
                     options.database, study,
                     options.to.empty() ? study + "-" + options.format : options.to});
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand(
      "export", "A trained model as a safetensors file, or results for other tools");
  auto* trial = command->add_option("trial", options->trial, "whose model");
  auto* format = command
                     ->add_option("--format", options->format,
                                  "instead: all results, for parquet, wandb, mlflow or tensorboard")
                     ->check(CLI::IsMember({"parquet", "wandb", "mlflow", "tensorboard"}))
                     ->excludes(trial);
  command->add_option("--to", options->to,
                      "file of the model, folder of the results (default: named after the study)");
  command->add_option("--study", options->study, "its name (default: the only one there)")
      ->needs(format);
  command->add_option("--python", options->python, "that has the other tool's library")
      ->needs(format)
      ->capture_default_str();
  command->add_option("--trainer", options->trainer,
                      "windrow-trainer, which reads checkpoints (default: beside windrow)");
  command
      ->add_option("--checkpoints", options->checkpoints,
                   "folder of the trials' folders (default: where the last run had it)")
      ->needs(trial);
  add_database_option(*command, options->database);
  command->footer(
      "The model is that of the trial's result: of the best epoch where the study restores it. Its "
      "header\nhas task, parameters, seed and epoch. parquet needs pyarrow; wandb runs are written "
      "offline unless\nWANDB_MODE says otherwise; mlflow goes to the folder unless "
      "MLFLOW_TRACKING_URI is set.\n\n"
      "Examples:\n"
      "  windrow export 17 --to best.safetensors\n"
      "  windrow export --format parquet --to results");
  command->callback([options, &exit_code] {
    if (options->trial)
      exit_code = export_model(*options);
    else if (!options->format.empty())
      exit_code = export_results(*options);
    else
      throw CLI::RequiredError("a trial's number, or --format");
  });
}

}  // namespace windrow::commands
