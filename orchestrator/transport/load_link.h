// The MPI library, found at run time: windrow itself needs none.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/transport/launcher.h"
#include "orchestrator/transport/link.h"

namespace windrow {

// One of the modules libwindrow_mpi_KIND.so, which lie beside the program or in ../lib/windrow.
struct MpiModule {
  std::string kind;  // see suitable_libraries()
  std::filesystem::path file;
  std::string why_not;  // it can't be loaded; "" = it can
  std::string remedy;   // what to install
};
// All kinds. Loads each, which brings in its MPI library, but starts none.
std::vector<MpiModule> mpi_modules();

struct LoadedLink {
  std::unique_ptr<Link> link;
  std::string library;  // its kind
};
// The first that can be loaded of those that suit the launcher, or what WINDROW_MPI names: a kind,
// or the path of an MPI library. Starts MPI. Throws std::runtime_error with the remedy where none
// can be loaded or it does not start.
LoadedLink load_mpi_link();

}  // namespace windrow
