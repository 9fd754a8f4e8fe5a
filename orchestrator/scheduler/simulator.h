// A cluster that isn't there: a virtual clock, agents with slots, and attempts that take time, fail
// and get lost, driven by the scheduler. It is the scheduler's test bench and `windrow plan`'s
// prediction. The same options and seed give the same run on every machine.
//
// It keeps its own books of what the slots were told and did, and reports a scheduler that breaks
// the rules: a trial in two places, an attempt begun twice, a command for an agent known as lost, a
// third trial at a slot, a trial begun after it was over.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::scheduler {

// SplitMix64 (Steele, Lea, Flood 2014): the standard library's distributions differ between
// implementations, and a seed must mean the same run everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits();
  double uniform();                      // [0, 1)
  double exponential(double mean);       // infinity for mean 0: never
  std::uint64_t below(std::uint64_t n);  // 0 .. n-1; n > 0

 private:
  std::uint64_t state_;
};

// Whether and of what an attempt is to fail.
using FailureModel =
    std::function<std::optional<FailureKind>(SlotId, TrialId, int attempt, Random&)>;

// Fails each attempt with these probabilities (by kind; their sum is at most 1).
FailureModel random_failures(
    const std::array<double, protocol::kFailureKindNames.size()>& probabilities);

struct SimulationOptions {
  int agents = 1;
  int slots_per_agent = 1;
  // Seconds of an epoch; without it TrialSpec::epoch_seconds, or else declared_cost / epochs.
  std::function<double(const TrialSpec&)> epoch_seconds;
  double start_seconds = 0;    // from an attempt's begin to its first epoch's
  double message_seconds = 0;  // mean delay of a message (between half and one and a half of it),
                               // in order for each agent and direction
  FailureModel failure;        // none: nothing fails
  double hang_seconds = 60;    // a hang is noticed after
  // Mean seconds between the losses of an agent, anywhere; 0: none is lost. A new agent of as many
  // slots joins in its place after about `rejoin_seconds`.
  double agent_loss_seconds = 0;
  double rejoin_seconds = 60;
  double stop_at = 0;  // the stop is requested then; 0: never
  RetryBudgets budgets;
  GangPolicy gangs;
  // What lent slots are to an attempt, and how many times faster it is with so many members than
  // alone; none: members for trials that are wider than 1, by TrialSpec::gang_epoch_seconds.
  std::function<Takes(const TrialSpec&)> takes;
  std::function<double(const TrialSpec&, int members)> speed;
  std::uint64_t seed = 1;
  int check_every = 0;  // check_invariants() after every so many events; 0: never
  // Trials that are added later, by the time.
  std::map<double, std::vector<TrialSpec>> later;
};

struct SimulationResult {
  double makespan = 0;                  // seconds until the last event that the coordinator saw
  std::vector<double> busy_seconds;     // by slot id, in attempts (start included)
  std::int64_t events = 0;              // handed to the scheduler
  std::int64_t attempts = 0;            // begun at slots
  std::int64_t withdrawals = 0;         // asked for
  int widened = 0;                      // trials that more than one slot trained
  int widest = 1;                       // most members of a trial
  std::map<FailureKind, int> failures;  // of attempts, as the coordinator learnt
  int finished = 0;
  std::map<TrialId, FailureKind> failed;  // for good
  int left = 0;                           // neither
  std::vector<SlotId> drained;
  int forgiven = 0;                  // failures that no longer count
  bool stopped = false;              // since everything failed alike
  std::optional<std::string> fault;  // the first rule that was broken; the run ends there
};

SimulationResult simulate(std::span<const TrialSpec> trials, const SimulationOptions& options);

// What a run on so many slots of one agent comes to when nothing fails; with epoch_seconds unknown
// for all trials, in the unit of declared_cost. Gangs are as fast as they were measured to be
// (TrialSpec::gang_epoch_seconds), and none is formed of what was not measured.
struct Prediction {
  int slots = 1;
  double makespan_seconds = 0;
  double lower_bound_seconds = 0;  // no order of the trials is faster: all slots busy to the end,
                                   // or the longest trial
  double slot_use = 1;             // share of the slots' time in which they train, 0 to 1
  int widened = 0;                 // trials that more than one slot trains, for a while at least
  int widest = 1;                  // most slots that do
};
// The ids may be unset. Throws std::invalid_argument for slots < 1.
Prediction predict(std::span<const TrialSpec> trials, int slots, const GangPolicy& gangs = {});

}  // namespace windrow::scheduler
