// windrow work: a worker that joins a run, and may leave it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/session/work_session.h"

namespace windrow::commands {

void add_work(CLI::App& app, int& exit_code) {
  struct Raw {
    WorkOptions work;
    std::filesystem::path database;
    bool quiet = false, verbose = false;
  };
  auto raw = std::make_shared<Raw>();
  WorkOptions& work = raw->work;
  CLI::App* command = app.add_subcommand(
      "work", "Join a run that was started with --serve, from any host, job or desktop");
  command->add_option("--join", raw->database, "the run's database")
      ->required()
      ->check(CLI::Validator([](const std::string& name) { return storage::file_name_fault(name); },
                             ""));
  command->add_option("--device", work.slots.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--slots", work.slots.slots,
                      "slots (default: the GPUs, else the cores / threads per slot)");
  command->add_option("--threads-per-slot", work.slots.threads_per_slot,
                      "CPU threads of each slot (default: 1; on GPUs the cores / slots)");
  command->add_option("--trainer", work.trainer, "path of windrow-trainer");
  command
      ->add_option("--wait", work.wait_seconds,
                   "seconds to wait for a run, also where it was lost and may come back")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--stop-within", work.stop_within_seconds,
                   "seconds after a stop by which what still runs is killed; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--until", work.until,
                      "begin no epoch that can't end before: 18:30, 2026-05-01T08:00, +90m "
                      "(default: the end of the Slurm job, where there is one)");
  command->add_flag("-q,--quiet", raw->quiet, "errors only");
  command->add_flag("-v,--verbose", raw->verbose, "also what trainers write");
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
    raw->work.verbosity = raw->verbose ? Console::Verbosity::debug
                          : raw->quiet ? Console::Verbosity::quiet
                                       : Console::Verbosity::normal;
    exit_code = work_session(raw->work);
  });
}

}  // namespace windrow::commands
