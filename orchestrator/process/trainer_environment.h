// What of windrow's own environment a trainer gets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windrow {

using Variables = std::vector<std::pair<std::string, std::string>>;

// This process's environment: "NAME=value".
std::vector<std::string> own_environment();

// A launcher (mpirun, srun) tells the ranks of windrow who they are by variables; a trainer that
// inherits them takes itself for that rank, and waits for the others. So those go: of Open MPI,
// PMIx, PRRTE, PMI, Hydra, MVAPICH, PALS, Flux and JSM, and of Slurm those of the step and its
// tasks. The job's own (SLURM_JOB_ID, SLURM_CPUS_PER_TASK, SLURM_SUBMIT_DIR) stay, as do the
// permission to run mpirun as root and, where no launcher started this process, the user's own MCA
// parameters. PYTHONUNBUFFERED is set to 1 where it is not in `own`: epochs are to be seen when
// they are printed. `added` takes the place of what has the same name.
std::vector<std::string> trainer_environment(const std::vector<std::string>& own,
                                             const Variables& added);

struct Override {
  std::string name, users, trainers;
};
// Where `added` sets another value than the user did in `own`, in the order of `added`.
std::vector<Override> overrides(const std::vector<std::string>& own, const Variables& added);

}  // namespace windrow
