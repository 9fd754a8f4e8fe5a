#include "orchestrator/transport/load_link.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "orchestrator/process/program.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;
  const char* library;  // that the module is linked to
  const char* remedy;
};
constexpr Kind kKinds[] = {
    {"ompi", "libmpi.so.40", "Open MPI (Debian: libopenmpi3, `module load openmpi` on a cluster)"},
    {"mpich", "libmpi.so.12", "MPICH (Debian: libmpich12), Intel MPI or MVAPICH"},
    {"abi", "libmpi_abi.so.1", "an MPI library with the ABI of MPI 5.0"}};

const Kind* find_kind(const std::string& name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  return found == std::end(kKinds) ? nullptr : &*found;
}

fs::path module_file(const std::string& kind) {
  const std::string name = "libwindrow_mpi_" + kind + ".so";
  for (const fs::path& folder : {program_folder(), program_folder() / "../lib/windrow"})
    if (fs::exists(folder / name)) return folder / name;
  return {};
}

// The library that belongs to the launcher: in ../lib of the program that is our parent (mpirun,
// prted, hydra_pmi_proxy). It is loaded before any other of its name.
fs::path library_of_launcher(const Kind& kind) {
  std::error_code error;
  const fs::path launcher = fs::read_symlink("/proc/" + std::to_string(getppid()) + "/exe", error);
  if (error) return {};
  for (const char* folder : {"lib", "lib64"}) {
    const fs::path file = launcher.parent_path().parent_path() / folder / kind.library;
    if (fs::exists(file, error)) return file;
  }
  return {};
}

// RTLD_GLOBAL: Open MPI's own plug-ins look for its symbols.
constexpr int kToUse = RTLD_NOW | RTLD_GLOBAL;
constexpr int kToLookAt = RTLD_LAZY | RTLD_LOCAL;

std::string last_error() {
  const char* error = dlerror();
  return error == nullptr ? "" : error;
}

// The module's handle; null and `why`: it can't be loaded.
void* open_module(const Kind& kind, int flags, std::string& why) {
  const fs::path file = module_file(kind.name);
  if (file.empty()) {
    why =
        std::string("libwindrow_mpi_") + kind.name + ".so was not built (its headers were missing)";
    return nullptr;
  }
  if (const fs::path library = library_of_launcher(kind); !library.empty())
    dlopen(library.c_str(), flags);
  void* module = dlopen(file.c_str(), flags);
  if (module == nullptr) why = last_error();
  return module;
}

std::unique_ptr<Link> make_link(void* module, const std::string& name) {
  using Make = Link* (*)();
  const auto make = reinterpret_cast<Make>(dlsym(module, "windrow_make_link"));
  if (make == nullptr)
    throw std::runtime_error(name +
                             " is of another version of windrow; install it anew, all of it");
  return std::unique_ptr<Link>(make());
}

// WINDROW_MPI: a kind, or the path of a module or of an MPI library.
LoadedLink load_named(const std::string& name) {
  std::string why;
  const Kind* kind = find_kind(name);
  if (kind == nullptr) {
    const std::string file = fs::path(name).filename();
    if (name.find('/') == std::string::npos || !fs::exists(name))
      throw std::runtime_error("WINDROW_MPI=" + name +
                               ": give ompi, mpich, abi or the path of an MPI library");
    if (dlopen(name.c_str(), kToUse) == nullptr)
      throw std::runtime_error("WINDROW_MPI=" + name + ": " + last_error());
    const auto suits = [&](const Kind& each) { return file.starts_with(each.library); };
    kind = std::ranges::find_if(kKinds, suits);
    if (kind == std::end(kKinds))
      throw std::runtime_error("WINDROW_MPI=" + name +
                               ": is none of libmpi.so.40, libmpi.so.12 and libmpi_abi.so.1");
  }
  void* module = open_module(*kind, kToUse, why);
  if (module == nullptr) throw std::runtime_error("WINDROW_MPI=" + name + ": " + why);
  return {make_link(module, kind->name), kind->name};
}

}  // namespace

std::vector<MpiModule> mpi_modules() {
  std::vector<MpiModule> modules;
  for (const Kind& kind : kKinds) {
    MpiModule& module = modules.emplace_back();
    module.kind = kind.name;
    module.file = module_file(kind.name);
    if (void* handle = open_module(kind, kToLookAt, module.why_not)) dlclose(handle);
    module.remedy = kind.remedy;
  }
  return modules;
}

LoadedLink load_mpi_link() {
  if (const std::string named = process_environment("WINDROW_MPI"); !named.empty())
    return load_named(named);
  if (const std::string fault = missing_pmi_fault(); !fault.empty())
    throw std::runtime_error(fault);
  std::string tried;
  for (const std::string& name : suitable_libraries()) {
    std::string why;
    if (void* module = open_module(*find_kind(name), kToUse, why))
      return {make_link(module, name), name};
    tried += "\n  " + name + ": " + why;
  }
  throw std::runtime_error(
      "a launcher started several ranks, but no MPI transport can be loaded; is the launcher's MPI "
      "library installed on this host, and in LD_LIBRARY_PATH where it is in a folder of its own?" +
      tried);
}

}  // namespace windrow
