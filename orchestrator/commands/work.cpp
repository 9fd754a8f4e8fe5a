// windrow work: a worker that joins a run, and may leave it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "orchestrator/commands/agent_options.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/session/work_session.h"

namespace windrow::commands {

void add_work(CLI::App& app, int& exit_code) {
  struct Raw {
    WorkOptions work;
    std::filesystem::path database;
    VerbosityFlags flags;
  };
  auto raw = std::make_shared<Raw>();
  WorkOptions& work = raw->work;
  CLI::App* command = app.add_subcommand(
      "work", "Join a run that was started with --serve, from any host, job or desktop");
  command->add_option("--join", raw->database, "the run's database")
      ->required()
      ->check(CLI::Validator([](const std::string& name) { return storage::file_name_fault(name); },
                             ""));
  add_slot_options(*command, work.slots);
  command->add_option("--trainer", work.trainer, "path of windrow-trainer");
  command
      ->add_option("--wait", work.wait_seconds,
                   "seconds to wait for a run, also where it was lost and may come back")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_stop_options(*command, work.stop_within_seconds, work.until);
  add_verbosity_flags(*command, raw->flags);
  command->footer(
      "It leaves when its time is up or it is signalled, after the epochs in progress, which "
      "costs\n"
      "nobody anything; it works in the folder from which the run was started. Exit code 0: the "
      "run\nis over or the worker has left; 2: it was turned away; 3: there was no run.\n\n"
      "Examples:\n"
      "  windrow run study.yaml --serve --slots 0        on a login or service node\n"
      "  windrow work --join windrow.db                  as many as you like, anywhere\n"
      "  sbatch --array=1-20 --time=30 --wrap 'windrow work --join windrow.db'");
  command->callback([raw, &exit_code] {
    raw->work.database = std::filesystem::absolute(raw->database);
    raw->work.verbosity = raw->flags.verbosity();
    exit_code = work_session(raw->work);
  });
}

}  // namespace windrow::commands
