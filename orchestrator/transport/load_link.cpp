#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "orchestrator/transport/link.h"

namespace windrow {

bool under_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"})
    if (std::getenv(name) != nullptr) return true;
  return slurm_step_tasks() > 1;
}

int slurm_step_tasks() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  return tasks == nullptr ? 0 : std::atoi(tasks);
}

std::unique_ptr<Link> load_mpi_link() {
  namespace fs = std::filesystem;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  std::string tried;
  for (const fs::path& folder : {program, program / "../lib/windrow"}) {
    const fs::path file = folder / "libwindrow_mpi.so";
    // RTLD_GLOBAL: Open MPI's own plug-ins look for its symbols.
    if (void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
      using Make = Link* (*)();
      if (auto make = reinterpret_cast<Make>(dlsym(library, "windrow_make_link")))
        return std::unique_ptr<Link>(make());
    }
    tried += "\n  " + std::string(dlerror());
  }
  throw std::runtime_error(
      "a launcher started several ranks, but the MPI transport can't be loaded; is Open MPI "
      "installed on this host (Debian: libopenmpi3, module load openmpi on a cluster)?" +
      tried);
}

}  // namespace windrow
