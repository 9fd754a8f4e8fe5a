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
  std::string coordinator_time;
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
  text_of(job.launcher, profile->launcher);
  text_of(job.container, profile->container);
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
  const int hosts = job.workers > 0 ? job.workers : job.nodes;
  if (options.slots) return hosts * *options.slots;
  const int gpus = job.gres.empty() ? job.gpus_per_node : gpus_of(job.gres);
  return hosts * std::max(1, gpus > 0 ? gpus : job.cpus_per_task);
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

using Arguments = std::vector<std::string>;

void add(Arguments& arguments, const char* option, const std::string& value) {
  if (value.empty()) return;
  arguments.push_back(option);
  arguments.push_back(value);
}

// How many slots each rank or worker has.
void add_slots(const SubmitOptions& options, Arguments& arguments) {
  if (options.slots) add(arguments, "--slots", std::to_string(*options.slots));
  if (options.threads_per_slot)
    add(arguments, "--threads-per-slot", std::to_string(*options.threads_per_slot));
}

Arguments run_arguments(const SubmitOptions& options) {
  Arguments arguments = {fs::absolute(options.study_file).string(), "--db",
                         fs::absolute(options.database).string()};
  for (const std::string& set : options.sets) add(arguments, "--set", set);
  add(arguments, "--data", options.data_dir);
  add(arguments, "--checkpoints", options.checkpoints);
  add(arguments, "--gang", options.gang == "auto" ? "" : options.gang);
  return arguments;
}

// A job for the run itself, which trains nothing, and an array of workers for it.
std::vector<submit::Job> jobs_with_workers(const SubmitOptions& options) {
  submit::Job run = options.job, worker = options.job;
  run.workers = run.gpus_per_node = 0;
  run.gres.clear();
  run.nodes = worker.nodes = run.cpus_per_task = 1;
  run.seconds = submit::parse_time(options.coordinator_time).value_or(0);
  run.lead_seconds = submit::lead_for(run.seconds, 0);
  run.arguments = run_arguments(options);
  for (const char* word : {"--serve", "--slots", "0"}) run.arguments.push_back(word);
  worker.database = fs::absolute(options.database).string();
  worker.arguments = {fs::absolute(options.study_file).string()};
  add_slots(options, worker.arguments);
  return {run, worker};
}

int usage(const std::vector<std::string>& faults) {
  for (const std::string& fault : faults) std::cerr << "windrow: " << fault << "\n";
  return kUsage;
}

fs::path jobs_file(const SubmitOptions& options) {
  return fs::absolute(options.database).string() + ".jobs";
}

// Of the jobs that were handed in for the database before, those that Slurm still has.
std::string jobs_in_queue(const SubmitOptions& options) {
  std::ifstream in(jobs_file(options));
  std::string jobs;
  for (std::string job; in >> job;) jobs += (jobs.empty() ? "" : ",") + job;
  if (jobs.empty() || !find_program("squeue")) return "";
  // Of a job that it has forgotten it says so on stderr.
  const ProgramResult result = run_program(
      {"sh", "-c", "squeue --noheader --format=%i --jobs=\"$0\" 2>/dev/null", jobs}, "");
  std::string found;
  std::istringstream ids(result.output);
  for (std::string id; ids >> id;) found += (found.empty() ? "" : ", ") + id;
  return found;
}

// Hands a script to sbatch; the job's number. Throws std::runtime_error.
std::string hand_in(const std::string& script, const fs::path& file,
                    const std::string& dependency) {
  {
    std::ofstream out(file);
    out << script;
    if (!out.flush())
      throw std::runtime_error(file.string() + " can't be written; give another --db");
  }
  std::vector<std::string> command = {"sbatch", "--parsable"};
  if (!dependency.empty()) command.push_back("--dependency=" + dependency);
  command.push_back(file);
  const ProgramResult result =
      run_program(command, "this host has no Slurm; --dry-run prints the script");
  if (result.exit_code != 0)
    throw std::runtime_error("sbatch refused the job (exit code " +
                             std::to_string(result.exit_code) + "); the script is " +
                             file.string());
  return result.output.substr(0, result.output.find_first_of(";\n"));
}

// One job, a chain of them, each after the one before, or the run's and its workers', who begin
// when it does.
int hand_in(const std::vector<submit::Job>& jobs, const SubmitOptions& options) {
  const std::string base = fs::absolute(options.database).string();
  std::string before, all;
  std::ofstream list(jobs_file(options), std::ios::trunc);
  for (const submit::Job& job : jobs) {
    const std::string script = submit::batch_script(job, submit::batch_body);
    const fs::path file = base + (job.workers > 0 ? ".workers.sbatch" : ".sbatch");
    for (int i = 0; i < options.chain; ++i) {
      const std::string dependency =
          before.empty() ? "" : (job.workers > 0 ? "after:" : "afterany:") + before;
      before = hand_in(script, file, dependency);
      all += (all.empty() ? "" : " ") + before;
      list << before << std::endl;
      std::cout << "job " << before
                << (job.workers > 0 ? " of " + std::to_string(job.workers) + " workers" : "")
                << "\n";
    }
  }
  std::cout << "the script is " << base << ".sbatch; `windrow watch` tells how far it is, "
            << "`windrow stop` ends it in good order, `scancel " << all << "` at once\n";
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
  if (!options.coordinator_time.empty() && !submit::parse_time(options.coordinator_time))
    return usage({"--coordinator-time '" + options.coordinator_time +
                  "': give minutes, hours:minutes:seconds or days-hours"});
  if (const auto faults = submit::faults_of(job); !faults.empty()) return usage(faults);

  if (const std::string jobs = options.dry_run ? "" : jobs_in_queue(options); !jobs.empty())
    return usage({"job " + jobs + " works on " + options.database +
                  " already, or waits to: one is enough, it comes back by itself. `scancel` it "
                  "first, or give another --db"});

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
  std::vector<submit::Job> jobs;
  if (job.workers > 0) {
    jobs = jobs_with_workers(options);
  } else {
    job.arguments = run_arguments(options);
    add_slots(options, job.arguments);
    jobs = {job};
  }
  std::cerr << study.name << ": " << expectation(plan, options) << "\n";
  if (!options.dry_run) return hand_in(jobs, options);
  for (const submit::Job& one : jobs)
    std::cout << submit::batch_script(one, submit::batch_body) << (jobs.size() > 1 ? "\n" : "");
  return kAllDone;
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
  auto* workers =
      command->add_option("--workers", job.workers,
                          "so many jobs of one host each, which join the run of a small "
                          "job and leave it; in place of --nodes");
  workers->check(CLI::Range(1, 100'000));
  command
      ->add_option("--coordinator-time", options->coordinator_time,
                   "with --workers: time limit of the run's own job (default: the partition's)")
      ->needs(workers);
  command->add_option("--time", options->time, "time limit of a job, as sbatch takes it");
  command->add_option("--partition", job.partition, "as sbatch takes it");
  command->add_option("--account", job.account, "likewise");
  command->add_option("--qos", job.qos, "likewise");
  command->add_option("--constraint", job.constraint, "likewise");
  command
      ->add_option("--launcher", job.launcher,
                   "what starts the ranks: srun or mpirun (default: the cluster's, else srun)")
      ->check(CLI::IsMember({"srun", "mpirun"}));
  command->add_option(
      "--container", job.container,
      "Apptainer image in which windrow is run (default: the cluster's, else none)");
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
      ->excludes(workers)
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
      "  windrow submit study.yaml --workers 20 --gpus-per-node 1 --time 00:30:00\n"
      "  windrow submit study.yaml --time 1-00 --dry-run");
  command->callback([options, &exit_code] { exit_code = submit_study(*options); });
}

}  // namespace windrow::commands
