#include "orchestrator/drill/fault.h"

#include <array>

namespace windrow::drill {
namespace {

constexpr std::array<Fault, 12> kFaults = {{
    {"trainer-killed", "a trainer is killed", Deed::kill_trainer, Where::any_rank, true},
    {"trainer-error", "a trainer ends with an error", Deed::end_with_error, Where::any_rank, true},
    {"trainer-silent", "a trainer hangs, deaf to SIGTERM", Deed::fall_silent, Where::any_rank,
     true},
    {"child-left", "a killed trainer leaves a child", Deed::leave_child, Where::any_rank, true},
    {"checkpoints-lost", "checkpoints of a killed trainer are lost", Deed::lose_checkpoints,
     Where::any_rank, true},
    {"guard-killed", "the guard of a trainer is killed", Deed::kill_guard, Where::any_rank, true},
    {"rank-killed", "a rank is killed", Deed::kill_rank, Where::other_rank},
    {"rank-paused", "a rank stops for a while", Deed::pause_rank, Where::other_rank, false, 0.4},
    {"rank-lost", "a rank stops until it is given up, then goes on", Deed::pause_rank,
     Where::other_rank, false, 2},
    {"coordinator-killed", "the coordinator is killed", Deed::kill_rank, Where::rank_0},
    {"database-locked", "another program locks the database", Deed::lock_database,
     Where::no_trainer, false, 1},
    {"run-stopped", "the run is told to stop", Deed::stop_run, Where::no_trainer},
}};

}  // namespace

std::span<const Fault> all_faults() {
  return kFaults;
}

}  // namespace windrow::drill
