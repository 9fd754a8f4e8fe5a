// The only file that sees Gloo's headers. They are Debian's, not the wheel's: what is used of them
// are shared pointers that ProcessGroupGloo holds, and none of their functions.
#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "worker/gang/c10d_gang.h"

namespace windrow::worker {

// The interface is the one that this host's name belongs to, or GLOO_SOCKET_IFNAME, as for PyTorch.
BackendPtr make_gloo(const StorePtr& store, const GangMember& member) {
  using c10d::ProcessGroupGloo;
  auto options = ProcessGroupGloo::Options::create(member.deadline);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      interface && *interface ? ProcessGroupGloo::createDeviceForInterface(interface)
                              : ProcessGroupGloo::createDefaultDevice());
  options->threads = 1;
  return c10::make_intrusive<ProcessGroupGloo>(store, member.rank, member.size, options);
}

}  // namespace windrow::worker
