// What `windrow doctor` looks at. Each check reports what it found and, where something is wrong,
// what to do; none throws for a fault of the machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace windrow::commands {

enum class Health {
  ok,
  warning,  // works, but not as well as it could, or not in every way
  fault,    // a run would fail
};

struct Finding {
  Health health = Health::ok;
  std::string check;    // for example "trainer"
  std::string message;  // what was found
  std::string remedy;   // "" where all is well
};

using Findings = std::vector<Finding>;

Findings check_machine();  // version, host, cores, GPUs, the slots that makes

// Starts the trainer and waits at most `ready_seconds` for it to say ready.
Findings check_trainer(const std::string& program, double ready_seconds);

Findings check_mpi();  // the MPI transport loads (MPI itself is not started); launchers in PATH

// The folder that holds (or will hold) the database: it can be written, has space, and its file
// system carries SQLite's locks and log.
Findings check_database_folder(const std::filesystem::path& database);

// Inside of a batch job: whether an epoch fits into what is left of it, where epochs were measured.
Findings check_time(const std::filesystem::path& database);

Findings check_data(const std::string& data_dir);  // the CIFAR-10 files

}  // namespace windrow::commands
