// The faults that a drill makes, one a run of its study.
#pragma once

#include <span>
#include <string_view>

namespace windrow::drill {

// What is done. A trainer does its own deeds and those to its rank, so that each host can be
// reached; the rest is done by the drill itself.
enum class Deed {
  kill_trainer,
  end_with_error,
  fall_silent,       // deaf to SIGTERM too
  leave_child,       // is killed, and a child that ignores SIGTERM holds its output open
  lose_checkpoints,  // those of its trial; then it is killed
  kill_guard,        // of this trainer
  kill_rank,
  pause_rank,     // SIGSTOP, and SIGCONT after some seconds
  lock_database,  // by the drill: a transaction that another program leaves open
  stop_run,       // by the drill: SIGTERM to the launcher
};

// The trainers of which rank may do it.
enum class Where { any_rank, rank_0, other_rank, no_trainer };

struct Fault {
  std::string_view name;  // for --only
  std::string_view text;
  Deed deed;
  Where where;
  bool charged = false;  // it may be counted against the trial, which is tried again
  // Of pauses and locks: how many times the time after which a silent rank is taken for dead.
  double lost_times = 0;
};

// In the order in which they are tried.
std::span<const Fault> all_faults();

}  // namespace windrow::drill
