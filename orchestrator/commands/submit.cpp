// windrow submit: a study as a Slurm job that comes back until all is done.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/gang_option.h"
#include "orchestrator/console/progress.h"
#include "orchestrator/process/program.h"
#include "orchestrator/results/planned_trials.h"
#include "orchestrator/scheduler/simulator.h"
#include "orchestrator/submit/batch_body.h"
#include "orchestrator/submit/job.h"
#include "storage/process.h"
#include "sweeps/cluster_profile.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

struct SubmitOptions {
  fs::path study_file;
  std::string database = "windrow.db";
  // Handed on to `windrow run`.
  std::vector<std::string> sets;
  std::string data_dir, checkpoints, gang = "auto";
  std::optional<int> slots, threads_per_slot;
  std::string cluster, time;
  submit::Job job{.nodes = 0};  // what is 0 or "" may be the cluster's to say
  bool no_requeue = false, dry_run = false;
  int chain = 1;
};

fs::path profiles_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base =
      config && *config ? fs::path(config) : fs::path(home ? home : "") / ".config";
  return base / "windrow" / "clusters.yaml";
}

// What the command line leaves open is the profile's to say.
void take_profile(const SubmitOptions& options, submit::Job& job, std::string& time) {
  const fs::path file = profiles_file();
  if (!fs::exists(file)) {
    if (!options.cluster.empty())
      throw std::runtime_error("--cluster " + options.cluster + ": there is no " + file.string() +
                               "; docs/slurm.md shows what goes into it");
    return;
  }
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  const auto profiles = sweeps::parse_clusters(text.str(), file.string());
  const auto* profile =
      sweeps::choose_cluster(profiles, options.cluster, storage::this_process().host);
  if (profile == nullptr) {
    if (options.cluster.empty()) return;
    std::string known;
    for (const auto& one : profiles) known += (known.empty() ? "" : ", ") + one.name;
    throw std::runtime_error("--cluster " + options.cluster + " is none of those in " +
                             file.string() + ": " + known);
  }
  const auto text_of = [](std::string& out, const std::string& value) {
    if (out.empty()) out = value;
  };
  const auto number_of = [](int& out, int value) {
    if (out == 0) out = value;
  };
  text_of(job.partition, profile->partition);
  text_of(job.account, profile->account);
  text_of(job.qos, profile->qos);
  text_of(job.constraint, profile->constraint);
  if (job.gpus_per_node == 0) text_of(job.gres, profile->gres);
  text_of(job.mpi, profile->mpi);
  text_of(time, profile->time);
  number_of(job.nodes, profile->nodes);
  if (job.gres.empty()) number_of(job.gpus_per_node, profile->gpus_per_node);
  number_of(job.cpus_per_task, profile->cpus_per_task);
  job.modules = profile->modules;
  job.prologue = profile->prologue;
}

// GPUs in a --gres such as gpu:a100:4; 0 where it says none.
int gpus_of(const std::string& gres) {
  if (!gres.starts_with("gpu")) return 0;
  const std::size_t colon = gres.rfind(':');
  const std::string count = colon == gres.npos ? "1" : gres.substr(colon + 1);
  return count.find_first_not_of("0123456789") == count.npos && count.size() < 5 ? std::stoi(count)
                                                                                 : 1;
}

int slots_of(const SubmitOptions& options) {
  const submit::Job& job = options.job;
  if (options.slots) return job.nodes * *options.slots;
  const int gpus = job.gres.empty() ? job.gpus_per_node : gpus_of(job.gres);
  return job.nodes * std::max(1, gpus > 0 ? gpus : job.cpus_per_task);
}

// Of the longest epoch that is to be run; 0: not known.
double longest_epoch(const StudyPlan& plan) {
  double seconds = 0;
  for (const scheduler::TrialSpec& trial : plan.to_run)
    seconds = std::max(seconds, trial.epoch_seconds);
  return seconds;
}

std::string expectation(const StudyPlan& plan, const SubmitOptions& options) {
  const submit::Job& job = options.job;
  std::string text = std::to_string(plan.to_run.size()) +
                     (plan.to_run.size() == 1 ? " trial" : " trials") + " to run";
  if (!plan.measured) return text + "; how long they take is known once an epoch is measured";
  const int slots = slots_of(options);
  const double seconds =
      scheduler::predict(plan.to_run, slots, gang_policy(options.gang)).makespan_seconds;
  text += ", about " + format_duration(seconds) + " on " + std::to_string(slots) +
          (slots == 1 ? " slot" : " slots");
  if (job.seconds <= 0) return text;
  const double useful = job.seconds - job.lead_seconds;  // the lead is at most half of it
  const auto jobs = std::max(1L, std::lround(std::ceil(seconds / useful)));
  const std::string length = submit::format_time(job.seconds);
  return text + (jobs == 1 ? ": one job of " + length + " is enough"
                           : ": " + std::to_string(jobs) + " jobs of " + length);
}

void add_arguments(const SubmitOptions& options, submit::Job& job) {
  job.arguments = {fs::absolute(options.study_file).string(), "--db",
                   fs::absolute(options.database).string()};
  const auto add = [&](const char* option, const std::string& value) {
    if (value.empty()) return;
    job.arguments.push_back(option);
    job.arguments.push_back(value);
  };
  for (const std::string& set : options.sets) add("--set", set);
  add("--data", options.data_dir);
  add("--checkpoints", options.checkpoints);
  add("--gang", options.gang == "auto" ? "" : options.gang);
  if (options.slots) add("--slots", std::to_string(*options.slots));
  if (options.threads_per_slot)
    add("--threads-per-slot", std::to_string(*options.threads_per_slot));
}

int usage(const std::vector<std::string>& faults) {
  for (const std::string& fault : faults) std::cerr << "windrow: " << fault << "\n";
  return kUsage;
}

// Hands the script to sbatch, each job of a chain after the one before.
int hand_in(const std::string& script, const SubmitOptions& options) {
  const fs::path file = fs::absolute(options.database).string() + ".sbatch";
  {
    std::ofstream out(file);
    out << script;
    if (!out.flush()) return usage({file.string() + " can't be written; give another --db"});
  }
  std::string before;
  for (int i = 0; i < options.chain; ++i) {
    std::vector<std::string> command = {"sbatch", "--parsable"};
    if (!before.empty()) command.push_back("--dependency=afterany:" + before);
    command.push_back(file);
    const ProgramResult result =
        run_program(command, "this host has no Slurm; --dry-run prints the script");
    if (result.exit_code != 0) {
      std::cerr << "windrow: sbatch refused the job (exit code " << result.exit_code
                << "); the script is " << file.string() << "\n";
      return kUsage;
    }
    before = result.output.substr(0, result.output.find_first_of(";\n"));
    std::cout << "job " << before << "\n";
  }
  std::cout << "the script is " << file.string()
            << "; `windrow status` tells how far it is, `scancel " << before
            << "` ends it for good\n";
  return kAllDone;
}

int submit_study(SubmitOptions options) {
  submit::Job& job = options.job;
  const sweeps::Study study =
      sweeps::load_study(options.study_file, sweeps::parse_overrides(options.sets));
  std::string time = options.time;
  take_profile(options, job, time);
  job.name = study.name;
  job.nodes = std::max(job.nodes, 1);
  job.requeues = !options.no_requeue && options.chain == 1;
  job.program_folder = program_folder().string();
  if (!time.empty()) {
    const auto seconds = submit::parse_time(time);
    if (!seconds)
      return usage({"--time '" + time +
                    "': give minutes, hours:minutes:seconds or days-hours, as sbatch takes them"});
    job.seconds = *seconds;
  }
  if (const auto faults = submit::faults_of(job); !faults.empty()) return usage(faults);

  std::optional<storage::Reader> reader;
  if (fs::exists(options.database)) reader.emplace(options.database);
  const StudyPlan plan = plan_study(study, reader ? &*reader : nullptr);
  const bool stages_wait = std::ranges::any_of(plan.expansion.stages, [](const auto& stage) {
    return stage.second.kind == sweeps::StageState::Kind::waiting;
  });
  if (plan.to_run.empty() && !stages_wait) {
    std::cerr << "windrow: nothing is left to do; `windrow table` shows the results\n";
    return kAllDone;
  }
  const double longest = longest_epoch(plan);
  job.lead_seconds = submit::lead_for(job.seconds, longest);
  constexpr double kStart = 60;  // of the job, the libraries and the data
  if (job.seconds > 0 && longest > 0 && job.seconds < longest + kStart)
    return usage({"--time " + submit::format_time(job.seconds) +
                  " is too short: an epoch of the longest trial takes " + format_duration(longest) +
                  " and a job a minute to begin; nothing would ever be done"});
  add_arguments(options, job);
  const std::string script = submit::batch_script(job, submit::batch_body);
  std::cerr << study.name << ": " << expectation(plan, options) << "\n";
  if (options.dry_run) {
    std::cout << script;
    return kAllDone;
  }
  return hand_in(script, options);
}

}  // namespace

void add_submit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SubmitOptions>();
  submit::Job& job = options->job;
  CLI::App* command =
      app.add_subcommand("submit", "Run a study as a Slurm job that comes back until all is done");
  command->add_option("study", options->study_file, "the study's YAML file")->required();
  command->add_option("sbatch", job.more, "after --: further options of sbatch, as --mem=64G");
  add_database_option(*command, options->database, "database file, made where it is missing");
  command->add_option("--set", options->sets, "key=value: overrides a fixed parameter (repeatable)")
      ->type_name("KEY=VALUE");
  const auto count = [&](const char* name, auto& value, const char* help) {
    command->add_option(name, value, help)->check(CLI::Range(1, 1'000'000));
  };
  count("--nodes", job.nodes, "hosts (default: the cluster's, else 1)");
  count("--gpus-per-node", job.gpus_per_node, "GPUs of each host; each is a slot");
  command->add_option("--gres", job.gres, "likewise, as --gres of sbatch");
  count("--cpus-per-task", job.cpus_per_task, "cores of each host, which its slots share");
  command->add_option("--time", options->time, "time limit of a job, as sbatch takes it");
  command->add_option("--partition", job.partition, "as sbatch takes it");
  command->add_option("--account", job.account, "likewise");
  command->add_option("--qos", job.qos, "likewise");
  command->add_option("--constraint", job.constraint, "likewise");
  command->add_option("--mpi", job.mpi, "srun's --mpi (default: the cluster's, else pmix)");
  command->add_option("--cluster", options->cluster,
                      "whose profile in ~/.config/windrow/clusters.yaml fills in what is left out "
                      "(default: the one whose hosts this host is one of)");
  command->add_option("--data", options->data_dir, "handed to windrow run");
  command->add_option("--checkpoints", options->checkpoints, "likewise; all hosts should see it");
  add_gang_option(*command, options->gang);
  count("--slots", options->slots, "handed to windrow run: of each host");
  count("--threads-per-slot", options->threads_per_slot, "likewise");
  command
      ->add_option("--chain", options->chain,
                   "so many jobs, each after the one before, where jobs may not be requeued")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--no-requeue", options->no_requeue, "the job doesn't come back by itself");
  command->add_flag("-n,--dry-run", options->dry_run, "print the script and submit nothing");
  command->footer(
      "Before it submits, it says how long the study is expected to take and in how many jobs. "
      "When\n"
      "the time limit nears, trainers finish their epoch; the job is requeued while work is left, "
      "and\n"
      "goes on. scancel ends it for good; so do three requeues in a row without progress.\n\n"
      "Examples:\n"
      "  windrow submit study.yaml --nodes 4 --gpus-per-node 4 --time 12:00:00 --partition gpu\n"
      "  windrow submit study.yaml --cluster alps -- --mem=64G --exclusive\n"
      "  windrow submit study.yaml --time 1-00 --dry-run");
  command->callback([options, &exit_code] { exit_code = submit_study(*options); });
}

}  // namespace windrow::commands
