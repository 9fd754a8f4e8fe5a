#include <CLI/CLI.hpp>
#include <memory>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/gang_option.h"
#include "orchestrator/session/run_session.h"

namespace windrow::commands {
namespace {

struct Raw {  // as typed
  RunOptions run;
  std::vector<std::string> sets;
  std::string gang = "auto";
  bool quiet = false, verbose = false;
};

void add_common(CLI::App& command, Raw& raw) {
  RunOptions& run = raw.run;
  add_database_option(command, run.database, "database file, made where it is missing");
  command.add_option("--set", raw.sets, "key=value: overrides a fixed parameter (repeatable)")
      ->type_name("KEY=VALUE");
  command.add_option("--data", run.data_dir,
                     "folder that holds cifar-10-batches-bin (default: $WINDROW_DATA, else the "
                     "cache folder)");
  command.add_option("--checkpoints", run.checkpoints,
                     "folder for checkpoints; all hosts should see it (default: beside the "
                     "database)");
  command.add_option("--device", run.slots.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--slots", run.slots.slots,
                     "slots of this rank (default: its GPUs, else its cores / threads per slot)");
  command.add_option("--threads-per-slot", run.slots.threads_per_slot,
                     "CPU threads of each slot (default: 1; on GPUs the rank's cores / slots)");
  command.add_option("--trainer", run.trainer, "path of windrow-trainer");
  add_gang_option(command, raw.gang);
  command
      .add_option("--lost-after", run.lost_seconds,
                  "seconds of silence after which a rank is taken for dead")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  command
      .add_option("--hang-after", run.hang_seconds,
                  "seconds without output after which a trainer is killed; 0: never (default: "
                  "the study's hang_seconds; 120 for the shipped tasks)")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--stop-within", run.stop_within_seconds,
                  "seconds after a stop by which what still runs is killed; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--until", run.until,
                     "begin no epoch that can't end before: 18:30, 2026-05-01T08:00, +90m "
                     "(default: the end of the Slurm job, where there is one)");
  command
      .add_option_function<int>(
          "--serve", [&run](int port) { run.serve = port; },
          "workers may join the run and leave it (windrow work), at this port, else at any that is "
          "free; with --slots 0 it trains nothing itself")
      ->expected(0, 1)
      ->default_str("0")
      ->check(CLI::Range(0, 65535))
      ->type_name("[PORT]");
  command.add_flag("--json", run.json, "print the end's summary as JSON on stdout");
  command.add_flag("-q,--quiet", raw.quiet, "errors only");
  command.add_flag("-v,--verbose", raw.verbose, "also what trainers write");
}

int execute(Raw& raw) {
  raw.run.overrides = sweeps::parse_overrides(raw.sets);
  raw.run.verbosity = raw.verbose ? Console::Verbosity::debug
                      : raw.quiet ? Console::Verbosity::quiet
                                  : Console::Verbosity::normal;
  raw.run.gangs = gang_policy(raw.gang);
  return run_session(raw.run);
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  {
    auto raw = std::make_shared<Raw>();
    CLI::App* run = app.add_subcommand(
        "run", "Run a study, or go on with it: finished trials stay, interrupted ones resume");
    run->add_option("study", raw->run.study_file, "the study's YAML file")->required();
    add_common(*run, *raw);
    run->callback([raw, &exit_code] { exit_code = execute(*raw); });
  }
  auto raw = std::make_shared<Raw>();
  CLI::App* resume =
      app.add_subcommand("resume", "Go on with a study as it stands in the database");
  resume->add_option("study", raw->run.study_name, "its name (default: the only one there)");
  add_common(*resume, *raw);
  resume->callback([raw, &exit_code] { exit_code = execute(*raw); });
}

}  // namespace windrow::commands
