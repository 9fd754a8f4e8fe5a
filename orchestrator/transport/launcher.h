// What the environment says of the launcher (mpirun, mpiexec, srun) that started this process.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace windrow {

// A variable's value; "" where it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

// Whether a launcher (mpirun, srun with PMI or PMIx) started this process as one of several ranks.
// The variables may be left over from a launcher that is gone.
bool under_launcher(const Environment& environment = process_environment);

// How many ranks the launcher started, by what it told them; 0: it doesn't say.
int launched_ranks(const Environment& environment = process_environment);

// The kinds of MPI library that suit the launcher, the best first: "ompi" (Open MPI 4 and 5),
// "mpich" (MPICH, Intel MPI, MVAPICH, Cray MPICH: they share an ABI) and "abi" (the ABI of
// MPI 5.0).
std::vector<std::string> suitable_libraries(const Environment& environment = process_environment);

// That srun started several ranks and gave them no way to find each other, with the remedy; "": it
// did. MPI itself would end the process.
std::string missing_pmi_fault(const Environment& environment = process_environment);

// Why a world of one rank can't be what the launcher meant, with the remedy; "": nothing speaks
// against it. `library` is what was loaded. A launcher whose server answers no more is gone, and
// its variables are left over: of a terminal inside a job, for example.
std::string lone_rank_fault(const std::string& library,
                            const Environment& environment = process_environment);

}  // namespace windrow
