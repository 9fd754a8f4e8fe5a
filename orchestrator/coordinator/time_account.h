// Where the slots' time of a run goes, and how near the run is to the fastest that these slots
// could be. Plain sums: what it is told, it believes; times are seconds on any one clock.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "protocol/ids.h"

namespace windrow {

// Seconds of slots, added up; their sum is slots x time, from when each slot was there.
struct TimeUse {
  double training = 0;  // epochs that counted, by whatever number of slots; where a program tells
                        // no epochs, its attempt that finished
  double starting = 0;  // from an assignment, or the attempt before, to the trainer's word that it
                        // began: processes, libraries, data, checkpoints
  double failed = 0;    // since the last epoch of attempts that failed
  double stopped = 0;   // likewise, of those that were preempted, stopped or cancelled
  double idle = 0;      // without an assignment: at the end, or while a stage waits for another
  double other = 0;     // final evaluations, checkpoints that an epoch waited for, messages

  double total() const { return training + starting + failed + stopped + idle + other; }
};

class TimeAccount {
 public:
  void joined(SlotId slot, double now);
  void gone(SlotId slot, double now);  // with its attempt

  void assigned(SlotId slot, double now);   // to begin, or to follow what runs
  void withdrawn(SlotId slot, double now);  // an assignment that had not begun
  void started(SlotId slot, TrialId trial, double now);
  // It took so many seconds, and so many slots.
  void epoch(SlotId slot, double seconds, int members);
  enum class End { finished, failed, stopped };
  void ended(SlotId slot, End how, double now);

  void lent(SlotId slot, double now);
  void returned(SlotId slot, double now);

  TimeUse use(double now) const;
  // No order of the trials is faster on these slots: all of them training all the time, or the
  // longest trial, where one slot trained it; 0: nothing was trained.
  double lower_bound() const;

 private:
  enum class Doing { gone, idle, starting, training, helping };
  struct Slot {
    Doing doing = Doing::gone;
    double since = 0;
    int queued = 0;           // assignments behind what it does
    double trained = 0;       // seconds of the running attempt's epochs
    std::int64_t epochs = 0;  // of the running attempt
    TrialId trial;
  };

  Slot& at(SlotId slot);
  static void turn_to(Slot& slot, Doing doing, double now);
  static void turn_to_next(Slot& slot, double now);
  static double& beside_epochs(TimeUse& use, End how);
  static void add(const Slot& slot, double now, End how, TimeUse& use);

  std::vector<Slot> slots_;  // by id
  int present_ = 0, most_present_ = 0;
  TimeUse use_;
  struct Work {
    double seconds = 0;    // of slots
    bool widened = false;  // several slots trained it
  };
  std::map<TrialId, Work> trials_;
};

}  // namespace windrow
