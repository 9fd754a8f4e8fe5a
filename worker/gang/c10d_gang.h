// Gangs over PyTorch's c10d: Gloo between CPUs, NCCL between GPUs. Which of them it is, is decided
// in make_backend() alone.
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "worker/gang/gang.h"

namespace windrow::worker {

struct GangMember {
  int rank = 0, size = 1;
  at::Device device = at::kCPU;
  // The longest that a member may be behind the others.
  std::chrono::milliseconds deadline{120000};
};

using BackendPtr = c10::intrusive_ptr<c10d::Backend>;
using StorePtr = c10::intrusive_ptr<c10d::Store>;

// Both connect to the other members through the store, and throw what c10d throws.
BackendPtr make_gloo(const StorePtr& store, const GangMember& member);
// Throws TrainerError{cuda} where the trainer is built for the CPU only.
BackendPtr make_nccl(const StorePtr& store, const GangMember& member);

// All members call it with stores that share their keys, which no other gang uses. Throws
// TrainerError{gang} when the others don't come within the deadline.
std::unique_ptr<Gang> make_gang(const StorePtr& store, const GangMember& member);

}  // namespace windrow::worker
