#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/commands/agent_options.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/gang_option.h"
#include "orchestrator/commands/order_option.h"
#include "orchestrator/session/run_session.h"

namespace windrow::commands {
namespace {

const std::map<std::string, ProgramChanged> kProgramChanged = {
    {"changed=ask", ProgramChanged::ask},
    {"changed=keep", ProgramChanged::keep},
    {"changed=redo", ProgramChanged::redo}};

struct Raw {  // as typed
  RunOptions run;
  std::vector<std::string> sets;
  std::string gang = "auto", order = "longest", program = "changed=ask";
  VerbosityFlags flags;
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
  add_slot_options(command, run.slots);
  command.add_option("--trainer", run.trainer, "path of windrow-trainer");
  add_gang_option(command, raw.gang);
  add_order_option(command, raw.order);
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
      .add_option("--program", raw.program,
                  "changed=ask, changed=keep or changed=redo: what becomes of results that another "
                  "program made than the one there is; without a terminal ask is keep")
      ->check(CLI::IsMember(kProgramChanged))
      ->capture_default_str();
  command
      .add_option("--stop-after-failures", run.stop_after_failures,
                  "stop when so many trials have failed for good (default: go on with the others)")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--page", run.page,
                  "keep the study's report up to date in this HTML file while the run goes on; "
                  "it reloads itself")
      ->type_name("FILE");
  add_stop_options(command, run.stop_within_seconds, run.until);
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
  add_verbosity_flags(command, raw.flags);
}

int execute(Raw& raw) {
  raw.run.overrides = sweeps::parse_overrides(raw.sets);
  raw.run.verbosity = raw.flags.verbosity();
  raw.run.gangs = gang_policy(raw.gang);
  raw.run.order = order_of(raw.order);
  raw.run.program_changed = kProgramChanged.at(raw.program);
  return run_session(raw.run);
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  {
    auto raw = std::make_shared<Raw>();
    CLI::App* run = app.add_subcommand(
        "run", "Run a study, or go on with it: finished trials stay, interrupted ones resume");
    run->add_option("study", raw->run.study_file, "the study's YAML file")->required();
    run->add_flag("--smoke", raw->run.smoke,
                  "instead: try an epoch of a few cells that have each value of the grid, the "
                  "costliest first, and tell what fails, what memory they take, and how long the "
                  "study would");
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
