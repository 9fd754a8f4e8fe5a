// NCCL between GPUs; compiled with the cuda preset.
#include "worker/gang/c10d_gang.h"
#include "worker/trainer_error.h"

#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace windrow::worker {

#ifdef USE_C10D_NCCL
BackendPtr make_nccl(const StorePtr& store, const GangMember& member) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = member.deadline;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, member.rank, member.size, options);
}
#else
BackendPtr make_nccl(const StorePtr&, const GangMember&) {
  throw TrainerError(protocol::TrainerFailure::cuda,
                     "this windrow-trainer is built for the CPU only and has no NCCL");
}
#endif

}  // namespace windrow::worker
