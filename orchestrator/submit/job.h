// A study as a job of Slurm: what is asked for, and the script that does it. Pure: nothing is run
// or read here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windrow::submit {

struct Job {
  std::string name;       // of the study
  int nodes = 1;          // one rank on each
  int gpus_per_node = 0;  // 0: none are asked for
  std::string gres;       // in their place
  int cpus_per_task = 0;  // 0: Slurm's default
  double seconds = 0;     // its time limit; 0: the partition's
  std::string partition, account, qos, constraint;
  std::vector<std::string> more;  // further options of sbatch, as they are
  double lead_seconds = 300;      // how long before the limit it is told to stop
  bool requeues = true;           // it comes back by itself while work is left
  int workers =
      0;  // an array of so many jobs that work for the run of `database`; 0: the run itself
  std::string database;  // of the run that workers join

  std::vector<std::string> modules, prologue;
  std::string program_folder;          // of windrow
  std::string launcher;                // srun or mpirun; "" = srun
  std::string container;               // an Apptainer image that has windrow; "" = none
  std::string mpi;                     // srun's --mpi; "" = pmix
  std::vector<std::string> arguments;  // of `windrow run`, or `work`: the study first
};

// What can't be said to sbatch, with the remedy; empty: nothing.
std::vector<std::string> faults_of(const Job& job);

// `body` is slurm/windrow.sbatch, whose own #SBATCH lines and usage are left out. Every value
// stands quoted: none of it is run.
std::string batch_script(const Job& job, std::string_view body);

// In single quotes for a POSIX shell.
std::string shell_quoted(const std::string& text);

// Slurm's forms: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].
// nullopt: none of them, or no time.
std::optional<double> parse_time(const std::string& text);
std::string format_time(double seconds);  // [days-]hours:minutes:seconds

// How long before the limit a job is told to stop: an epoch and a half and a minute, at least two
// minutes, at most half of the limit. `epoch_seconds` is of the longest; 0: not known.
double lead_for(double limit_seconds, double epoch_seconds);

}  // namespace windrow::submit
