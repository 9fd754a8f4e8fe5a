// windrow drill: does what must not be lost survive the faults of this cluster?
#include "orchestrator/drill/drill.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "orchestrator/commands/commands.h"
#include "orchestrator/drill/trainer.h"
#include "orchestrator/session/scratch_folder.h"
#include "orchestrator/session/stop_signals.h"

namespace windrow::commands {
namespace {

using drill::Fault;
using drill::Outcome;

struct DrillOptions {
  std::string launcher, folder = ".";
  std::vector<std::string> only;
  int slots = 0, trials = 0;  // 0: by whether there is a launcher
  double lost_seconds = 5;
  bool json = false, keep = false;
};

volatile std::sig_atomic_t was_interrupted = 0;

std::vector<const Fault*> chosen(const std::vector<std::string>& only) {
  std::vector<const Fault*> faults;
  std::string known;
  for (const Fault& fault : drill::all_faults()) {
    known += (known.empty() ? "" : ", ") + std::string(fault.name);
    if (only.empty() || std::ranges::find(only, fault.name) != only.end()) faults.push_back(&fault);
  }
  for (const std::string& name : only)
    if (std::ranges::none_of(drill::all_faults(),
                             [&](const Fault& each) { return each.name == name; }))
      throw std::runtime_error("--only: there is no fault " + name + "; there are " + known);
  return faults;
}

std::string verdict_word(const Outcome& outcome) {
  return !outcome.broken.empty() ? "broken" : !outcome.not_tried.empty() ? "not tried" : "held";
}

std::string verdict(const Outcome& outcome) {
  std::string text;
  if (!outcome.broken.empty()) {
    text = "BROKEN: ";
    for (const std::string& promise : outcome.broken)
      text += (&promise == &outcome.broken.front() ? "" : "; ") + promise;
  } else {
    text = outcome.not_tried.empty() ? "held" : "not tried: " + outcome.not_tried;
  }
  if (outcome.not_tried.empty() && outcome.launches > 1)
    text += ", the run was started " + std::to_string(outcome.launches) + " times";
  return text;
}

std::string seconds_text(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << *seconds << " s";
  return text.str();
}

void print_row(const std::string& fault, const std::string& noticed, const std::string& recovered,
               const std::string& lost, const std::string& verdict) {
  std::cout << std::left << std::setw(48) << fault << std::right << std::setw(10) << noticed
            << std::setw(11) << recovered << std::setw(11) << lost << "  " << verdict << std::endl;
}

void print_row(const Fault& fault, const Outcome& outcome) {
  if (outcome.not_tried.empty())
    print_row(
        std::string(fault.text), seconds_text(outcome.noticed_seconds),
        seconds_text(outcome.recovered_seconds),
        std::to_string(outcome.lost_epochs) + (outcome.lost_epochs == 1 ? " epoch" : " epochs"),
        verdict(outcome));
  else
    print_row(std::string(fault.text), "-", "-", "-", verdict(outcome));
}

nlohmann::ordered_json to_json(const Fault& fault, const Outcome& outcome) {
  const auto number = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  return {{"fault", fault.name},
          {"text", fault.text},
          {"noticed_seconds", number(outcome.noticed_seconds)},
          {"recovered_seconds", number(outcome.recovered_seconds)},
          {"lost_epochs", outcome.lost_epochs},
          {"starts", outcome.launches},
          {"verdict", verdict_word(outcome)},
          {"broken", outcome.broken}};
}

int drill_cluster(const DrillOptions& options) {
  const auto faults = chosen(options.only);
  for (const auto& [number, name] : kStopSignals)
    std::signal(number, [](int) { was_interrupted = 1; });
  ScratchFolder folder(std::filesystem::canonical(options.folder) / "drill", "drill");
  drill::Settings settings;
  settings.launcher = options.launcher;
  const bool several_ranks = !options.launcher.empty();
  const int slots = options.slots > 0 ? options.slots : several_ranks ? 1 : 2;
  settings.run_options = {"--slots", std::to_string(slots), "--device", "cpu"};
  settings.trials = options.trials > 0 ? options.trials : several_ranks ? 12 : 4;
  settings.lost_seconds = options.lost_seconds;
  settings.deadline_seconds += 4 * options.lost_seconds;
  settings.interrupted = [] { return was_interrupted != 0; };
  if (!options.json) print_row("fault", "noticed", "recovered", "lost work", "verdict");
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  int broken = 0, not_tried = 0;
  for (const Fault* fault : faults) {
    const Outcome outcome =
        drill::try_fault(*fault, settings, folder.path() / std::string(fault->name));
    if (was_interrupted != 0) return kInterrupted;
    broken += !outcome.broken.empty();
    not_tried += outcome.broken.empty() && !outcome.not_tried.empty();
    all.push_back(to_json(*fault, outcome));
    if (!options.json) print_row(*fault, outcome);
  }
  if (options.json)
    std::cout << all.dump(2) << "\n";
  else
    std::cout << faults.size() - static_cast<std::size_t>(broken + not_tried) << " held, " << broken
              << " broken, " << not_tried << " not tried\n";
  if (broken > 0 || options.keep) {
    std::cerr << "windrow: databases and logs are kept in " << folder.path().string() << "\n";
    folder.keep();
  }
  return broken == 0 ? kAllDone : kSomeFailed;
}

}  // namespace

void add_drill(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DrillOptions>();
  CLI::App* command = app.add_subcommand(
      "drill", "Try a list of faults on this cluster: what is noticed when, and what it costs");
  command->add_option("--launch", options->launcher,
                      "what starts several ranks here, such as \"srun -n 4\" (default: one "
                      "process)");
  command
      ->add_option("--dir", options->folder,
                   "a folder that all hosts share, for the drill's own folder")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_option("--only", options->only, "these faults, comma-separated")->delimiter(',');
  command
      ->add_option("--slots", options->slots, "slots of each rank (default: 1; 2 of one process)")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--trials", options->trials,
                   "trials of the study: at least as many as ranks (default: 12; 4 of one process)")
      ->check(CLI::Range(2, 100000));
  command
      ->add_option("--lost-after", options->lost_seconds,
                   "seconds of silence after which a rank is given up")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  command->add_flag("--keep", options->keep, "keep databases and logs also where all held");
  command->add_flag("--json", options->json,
                    "an array of {fault, text, noticed_seconds, recovered_seconds, lost_epochs, "
                    "starts, verdict, broken}");
  std::ostringstream footer;
  footer
      << "For each fault a study of short trials is run, which uses no GPU, and the fault is done "
         "to it while\nit runs. A line says how long after the fault it was noticed, how long "
         "after it an epoch of what it\nhit was recorded again, how many epochs were trained "
         "twice, and whether all was held: each trial\nfinished, each epoch on record once with "
         "the numbers of an undisturbed run, nobody blamed but the\ntrial that was hit, no "
         "process left. Faults:\n";
  for (const Fault& fault : drill::all_faults())
    footer << "  " << std::left << std::setw(20) << fault.name << fault.text << "\n";
  footer
      << "Exit code 0: nothing is broken; 1: something is.\n\n"
         "Examples:\n"
         "  windrow drill\n"
         "  windrow drill --launch \"srun -n 4 --kill-on-bad-exit=0\" --dir $SCRATCH\n"
         "  windrow drill --launch \"mpirun -n 3 --enable-recovery\" --only rank-killed,rank-lost";
  command->footer(footer.str());
  command->callback([options, &exit_code] { exit_code = drill_cluster(*options); });

  auto folder = std::make_shared<std::string>();
  CLI::App* trainer = app.add_subcommand("drill-trainer", "The trainer of a drill's study");
  trainer->group("");  // for drills alone
  trainer->add_option("folder", *folder)->required();
  trainer->callback([folder, &exit_code] {
    drill::run_trainer(*folder);
    exit_code = kAllDone;
  });
}

}  // namespace windrow::commands
