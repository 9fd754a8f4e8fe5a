// The scheduler: a state, and free functions on_<event>(state, event, out) that append commands to
// `out`. No I/O, no clock, no threads; the same input gives the same output. The coordinator's loop
// feeds it, and so does the simulator.
//
// Order: wave by wave (TrialSpec::wave; all are of one unless wanted otherwise), in each longest
// expected first (measured seconds per epoch x epochs left, then declared cost, then
// grid order); one trial is queued ahead at each slot, and is taken back when another slot would
// stand idle.
//
// Blame (blame.h): a retry goes to another agent first, then to another slot. What fails on a slot
// or an agent trial after trial while these trials do well elsewhere is drained, and its failures
// are no longer counted against the trials. A slot that fails rests for a while that grows. Where
// everything fails alike everywhere, the run is stopped and no trial is charged. That a trainer
// does not start is never its trial's fault (starts.h).
//
// Gangs (gangs.h): slots that nothing waits for are lent to the trials that would end last, and
// come back when something waits.
//
// What it relies on: the messages of one slot arrive in the order in which they were sent, each
// once. A message about an attempt that is over, or that another slot has, is ignored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "protocol/failure.h"
#include "protocol/ids.h"

namespace windrow::scheduler {

using protocol::FailureKind;

// A failure of an earlier run that may be the machine's, and of which nobody knows yet.
struct EarlierCharge {
  int attempt = 0;
  FailureKind kind = FailureKind::crash;
  std::string host;
};

// What the scheduler knows of a trial when it is added.
struct TrialSpec {
  TrialId trial;
  int group = 0;             // trials of one cell share a group: seconds per epoch measured for
                             // one are the expectation for all
  double declared_cost = 1;  // of all its epochs, any unit; used while its group is not measured
  int epochs = 1;            // in all
  int committed_epochs = 0;  // already in the database
  int attempts = 0;          // begun in earlier runs
  double epoch_seconds = 0;  // measured earlier; 0 = unknown
  std::map<FailureKind, int> failures;      // of earlier runs, towards the budgets
  std::vector<EarlierCharge> charges = {};  // of those
  int stopped_runs = 0;  // earlier runs that were stopped since everything failed, this too
  int widest = 1;        // members that a gang of it may have
  std::map<int, double> gang_epoch_seconds = {};  // measured earlier, by members
  int wave = 0;  // trials of a later wave begin only where none of an earlier one waits
};

enum class Order {
  longest,  // longest expected first, which ends soonest
  breadth,  // the first seed of all cells, then the second one of all, ...: as waves
};

// How many slots train a trial together.
struct GangPolicy {
  // Slots are lent where nothing else waits for them and gangs were measured to be worth it.
  bool automatic = false;
  int members = 1;  // else: every trial that can has so many; 1: no gangs
};

// How often a trial may fail of a kind before it is failed for good. nan, spec, cancelled: 0
// retries.
// preempted, node: unlimited. The rest: as given here; a retry of crash, cuda, oom and hang goes to
// another slot where there is one.
struct RetryBudgets {
  int oom = 1;
  int cuda = 2;
  int hang = 1;
  int crash = 2;
  int data = 1;
  // Trials that failed on a slot (or on an agent) in a row and then did well elsewhere: so many,
  // and it is drained.
  int slot_failures_in_a_row = 3;
  // So many different trials in a row on all slots, all failing alike, stop the run.
  int failures_to_stop = 3;
  // A trial that failed in so many stopped runs is charged like any other.
  int stopped_runs_to_charge = 2;
};

// ---- commands
struct AssignTrial {  // run on the slot, or queue behind its running attempt
  SlotId slot;
  TrialId trial;
  int attempt = 1;
};
struct WithdrawTrial {  // ask for a queued assignment back
  SlotId slot;
  TrialId trial;
  int attempt = 1;
};
struct EndAttempt {  // queued or running: it is wanted no more
  SlotId slot;
  TrialId trial;
  int attempt = 1;
};
struct TrialFailed {  // no retry is left
  TrialId trial;
  FailureKind kind;
};
struct SlotDrained {  // the slot fails everything, or takes nothing: nothing more is sent there
  SlotId slot;
  std::string reason;
};
struct SlotReadmitted {  // it was drained for what trials did elsewhere, and gets some again
  SlotId slot;
};
struct FailureForgiven {  // it no longer counts against the trial's budget
  TrialId trial;
  int attempt = 1;
  bool run_stopped = false;  // since everything failed alike; otherwise the place is to blame
};
struct RestSlot {  // give it nothing for a while; answered by on_slot_rested
  SlotId slot;
  double seconds = 1;
};
struct LendSlot {  // to the attempt that `lead` has, as helper number `number`
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  SlotId lead;
  int number = 1;
};
struct SetHelpers {  // tell the lead: these are its helpers from the next epoch on
  SlotId lead;
  TrialId trial;
  int attempt = 1;
  std::vector<int> numbers;
  std::vector<SlotId> lent;  // and so many slots' threads are its own until then
};
struct StopRun {  // nothing more is assigned
  enum class Why {
    never_ready,   // no trainer was, in any run: this one is to be refused
    all_alike,     // everything fails, and alike
    none_trained,  // in this run, though in one before: what changed since may be to blame
  };
  Why why = Why::all_alike;
};
using Command =
    std::variant<AssignTrial, WithdrawTrial, EndAttempt, TrialFailed, SlotDrained, SlotReadmitted,
                 FailureForgiven, RestSlot, LendSlot, SetHelpers, StopRun>;
using Commands = std::vector<Command>;

enum class TrialPhase { pending, queued, running, finished, failed };

struct State;  // see state.h, which who calls make_state() must include

State make_state(RetryBudgets budgets = {}, GangPolicy gangs = {});

// ---- events

// New trials, in grid order; may come during the run, when a stage expands. A trial that is known
// already is skipped.
void on_trials_added(State& state, std::span<const TrialSpec> trials, Commands& out);

// In an earlier run, trials of the study were trained: that none can be now is no fault of the
// study's.
void on_trainers_known(State& state);

// An agent and its slots. A slot id that was ever used is skipped.
void on_agent_joined(State& state, AgentId agent, std::span<const SlotId> slots, Commands& out,
                     const std::string& host = "");

// Its slots are gone: what ran there failed with `node`, what was queued there is pending again.
void on_agent_lost(State& state, AgentId agent, Commands& out);

// What slots that are lent to an attempt can be to it.
enum class Takes {
  nothing,
  members,  // of a gang that it leads
  threads,  // of the same agent, that do nothing else: more hands for the same process
};
// The attempt left its place in the slot's queue and runs, from a checkpoint after epoch
// `resumed_from`, if any: those up to there say nothing of how it does here, and those after it are
// to be trained, also where they are on record.
void on_attempt_started(State& state, SlotId slot, TrialId trial, int attempt, Commands& out,
                        Takes takes = Takes::nothing, int resumed_from = 0);

// `epoch` counts from 1. The seconds are the new measure of the trial's group with so many members;
// a value that is negative or no number is not counted.
void on_epoch(State& state, SlotId slot, TrialId trial, int attempt, int epoch, double wall_seconds,
              Commands& out, int members = 1);

void on_attempt_finished(State& state, SlotId slot, TrialId trial, int attempt, Commands& out);

struct Failure {
  FailureKind kind = FailureKind::crash;
  protocol::Reached reached = protocol::Reached::started;
  std::uint64_t signature = 0;  // equal for failures that look alike
  // "its GPU", "its host": whose memory, which several slots share, was too small for all of them,
  // so that the slot is to blame. "": none.
  std::string crowded = {};
};
// Also for an attempt that failed before it started. A trial without a retry left is reported by
// TrialFailed in the same call.
void on_attempt_failed(State& state, SlotId slot, TrialId trial, int attempt,
                       const Failure& failure, Commands& out);

// The slot, lent to the attempt, helps no more; `failed`: through a fault of its own.
void on_helper_over(State& state, SlotId slot, TrialId trial, int attempt, bool failed,
                    Commands& out);

// The time of a RestSlot is over.
void on_slot_rested(State& state, SlotId slot, Commands& out);

// The slot's agent gives it up. Its attempts were reported before.
void on_slot_lost(State& state, SlotId slot, const std::string& reason, Commands& out);

// The slot's agent is to leave, through no fault of anybody's: it gets nothing more, and what is
// queued there is asked back.
void on_slot_closing(State& state, SlotId slot, Commands& out);

// So long until the run must be over: trials of which an epoch is expected to take longer are not
// assigned any more.
void on_time_left(State& state, double seconds, Commands& out);

// The slot gave the assignment back; its attempt number is used again. A slot that does so without
// having been asked is on its way out and is drained.
void on_withdrawn(State& state, SlotId slot, TrialId trial, int attempt, Commands& out);

// From here on nothing is assigned or withdrawn; what runs may go on to its end.
void on_stop_requested(State& state, Commands& out);
// What an attempt of the trial reported could not be stored: it is failed, however it ends.
void on_trial_refused(State& state, TrialId trial, Commands& out);

// A user wants it no more. What waits is failed at once (`cancelled`), what runs is ended; one that
// finishes before it hears of it is finished.
void on_trial_cancelled(State& state, TrialId trial, Commands& out);

// ---- queries

// Every trial is finished or failed.
bool all_over(const State& state);

// Nothing is queued or running. With all_over() false and no slot in service, the run is to end
// with work left.
bool idle(const State& state);

int count(const State& state, TrialPhase phase);

// The phase of a trial; nullopt for one that was never added.
std::optional<TrialPhase> phase_of(const State& state, TrialId trial);
bool is_refused(const State& state, TrialId trial);

// Slots that may be given work: their agent is there and they are not drained.
int slots_in_service(const State& state);
bool in_service(const State& state, SlotId slot);

// Whether the slot has this attempt, queued or begun. A message about any other is stale.
enum class Held { no, queued, begun };
Held held(const State& state, SlotId slot, TrialId trial, int attempt);

// Whether the slot is lent to this attempt.
bool helps(const State& state, SlotId slot, TrialId trial, int attempt);

// The attempts that an agent's slots have (what is lost with it).
struct HeldAttempt {
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  bool begun = false;
};
std::vector<HeldAttempt> held_attempts(const State& state, AgentId agent);

// Trials wait and slots are free, but no epoch of theirs fits into the time that is left; or that
// is over, and there are no slots.
bool out_of_time(const State& state);

// Expected seconds until all is over: the work left, shared evenly by the slots that can have a
// part in it. nullopt while no epoch was measured or no slot is in service. Costs O(groups).
std::optional<double> expected_remaining_seconds(const State& state);

// What is wrong with the state, for tests; nullopt = nothing. Costs O(trials + slots).
std::optional<std::string> check_invariants(const State& state);

}  // namespace windrow::scheduler
