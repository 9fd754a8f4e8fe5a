#include "orchestrator/process/trainer_environment.h"

#include <algorithm>
#include <array>

extern char** environ;

namespace windrow {
namespace {

constexpr std::array kKept{"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                           "PRTE_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"};

// Parameters of Open MPI's components: mpirun hands its own to the ranks, and users set them too.
constexpr std::array kTuning{"OMPI_MCA_", "PMIX_MCA_", "PRTE_MCA_"};

constexpr std::array kLaunchers{
    // Open MPI with ORTE or PRRTE
    "OMPI_", "PMIX_", "PRTE_", "ORTE_", "OPAL_",
    // MPICH, Intel MPI and MVAPICH
    "PMI_", "PMI2_", "HYDRA_", "HYDI_", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", "MPIR_CVAR_CH3_PORT",
    "I_MPI_HYDRA_", "MV2_", "MPIRUN_", "MPISPAWN_",
    // Cray and HPE, IBM, Flux
    "PALS_", "ALPS_APP_", "JSM_", "FLUX_TASK_", "FLUX_JOB_SIZE", "FLUX_JOB_NNODES",
    // Slurm's steps and their tasks
    "SLURM_STEP_", "SLURM_STEPID", "SLURM_NTASKS", "SLURM_NPROCS", "SLURM_PROCID", "SLURM_LOCALID",
    "SLURM_NODEID", "SLURM_NNODES", "SLURM_TASKS_PER_NODE", "SLURM_TASK_PID", "SLURM_GTIDS",
    "SLURM_LAUNCH_NODE_IPADDR", "SLURM_SRUN_COMM_", "SLURM_MPI_TYPE", "SLURM_PMI", "SLURM_PMIX",
    "SLURM_DISTRIBUTION", "SLURM_CPU_BIND", "SLURM_MEM_BIND"};

// By each of these a launcher tells a process that it started it.
constexpr std::array kStarted{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool begins_with_one_of(std::string_view name, const auto& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const char* prefix) { return name.starts_with(prefix); });
}

bool is_one_of(std::string_view name, const auto& names) {
  return std::any_of(names.begin(), names.end(), [&](const char* each) { return name == each; });
}

bool is_added(std::string_view name, const Variables& added) {
  return std::any_of(added.begin(), added.end(),
                     [&](const auto& pair) { return pair.first == name; });
}

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each)
    variables.emplace_back(*each);
  return variables;
}

std::vector<std::string> trainer_environment(const std::vector<std::string>& own,
                                             const Variables& added) {
  constexpr std::string_view kUnbuffered = "PYTHONUNBUFFERED";
  const bool launched = std::any_of(own.begin(), own.end(), [](const std::string& variable) {
    return is_one_of(name_of(variable), kStarted);
  });
  std::vector<std::string> result;
  result.reserve(own.size() + added.size() + 1);
  bool unbuffered_is_set = is_added(kUnbuffered, added);
  for (const std::string& variable : own) {
    const std::string_view name = name_of(variable);
    const bool tuning = begins_with_one_of(name, kTuning);
    const bool of_launcher = tuning ? launched : begins_with_one_of(name, kLaunchers);
    if ((of_launcher && !is_one_of(name, kKept)) || is_added(name, added)) continue;
    unbuffered_is_set |= name == kUnbuffered;
    result.push_back(variable);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  if (!unbuffered_is_set) result.push_back(std::string(kUnbuffered) + "=1");
  return result;
}

std::vector<Override> overrides(const std::vector<std::string>& own, const Variables& added) {
  std::vector<Override> found;
  for (const auto& [name, value] : added)
    for (const std::string& variable : own)
      if (name_of(variable) == name && variable.substr(name.size() + 1) != value)
        found.push_back({name, variable.substr(name.size() + 1), value});
  return found;
}

}  // namespace windrow
