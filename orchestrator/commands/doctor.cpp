// windrow doctor: is this machine ready for a run?
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/doctor_checks.h"
#include "orchestrator/commands/doctor_ranks.h"
#include "orchestrator/session/preflight.h"
#include "orchestrator/transport/launcher.h"

namespace windrow::commands {
namespace {

struct DoctorOptions {
  std::string database = "windrow.db";
  std::string data_dir;
  std::string trainer;
  double ready_seconds = 300;
  bool json = false;
};

const char* name(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warning:
      return "warning";
    default:
      return "FAULT";
  }
}

void print_text(const Findings& findings) {
  const bool colours = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  for (const Finding& finding : findings) {
    const char* colour = finding.health == Health::ok        ? "\033[32m"
                         : finding.health == Health::warning ? "\033[33m"
                                                             : "\033[31m";
    std::cout << (colours ? colour : "") << std::left << std::setw(8) << name(finding.health)
              << (colours ? "\033[0m" : "") << std::setw(15) << finding.check << finding.message
              << "\n";
    if (!finding.remedy.empty())
      std::cout << std::string(23, ' ') << "-> " << finding.remedy << "\n";
  }
}

void print_json(const Findings& findings) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    array.push_back({{"health", name(finding.health)},
                     {"check", finding.check},
                     {"message", finding.message},
                     {"remedy", finding.remedy}});
  std::cout << array.dump(2) << "\n";
}

int examine(const DoctorOptions& options) {
  Findings findings;
  // Of several ranks the first one speaks, for all of them; it looks at its own host.
  if (under_launcher() && launched_ranks() > 1) {
    RankFindings ranks = check_ranks();
    if (ranks.rank > 0) return kAllDone;
    findings = std::move(ranks.findings);
  }
  const auto append = [&](Findings more) {
    std::move(more.begin(), more.end(), std::back_inserter(findings));
  };
  append(check_machine());
  append(check_trainer(trainer_program(options.trainer), options.ready_seconds));
  append(check_mpi());
  append(check_database_folder(options.database));
  append(check_time(options.database));
  append(check_data(data_folder(options.data_dir)));
  if (options.json)
    print_json(findings);
  else
    print_text(findings);
  const auto faults = std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.health == Health::fault;
  });
  return faults == 0 ? kAllDone : kSomeFailed;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Check that this machine is ready for a run: trainer, MPI, database folder, data");
  add_database_option(*doctor, options->database, "database file whose folder is checked");
  doctor->add_option("--data", options->data_dir,
                     "folder that holds cifar-10-batches-bin (default: $WINDROW_DATA, else the "
                     "cache folder)");
  doctor->add_option("--trainer", options->trainer, "path of windrow-trainer");
  doctor
      ->add_option("--ready-seconds", options->ready_seconds,
                   "how long the trainer may take to say ready")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  doctor->add_flag("--json", options->json, "an array of {health, check, message, remedy}");
  doctor->footer(
      "A line for each check: ok, warning (a run works, but read it) or FAULT (a run would fail),\n"
      "with what to do. Exit code 0: no fault; 1: at least one.\n\n"
      "Examples:\n"
      "  windrow doctor\n"
      "  srun --nodes 4 --ntasks-per-node 1 windrow doctor   what each rank of a job sees");
  doctor->callback([options, &exit_code] { exit_code = examine(*options); });
}

}  // namespace windrow::commands
