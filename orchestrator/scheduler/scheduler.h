// The scheduler: a state, and free functions on_<event>(state, event, out) that append commands to
// `out`. No I/O, no clock, no threads; the same input gives the same output. The coordinator's loop
// feeds it, and so does the simulator.
//
// Order: longest expected first (measured seconds per epoch x epochs left, then declared cost, then
// grid order); one trial is queued ahead at each slot, and is taken back when another slot would
// stand idle.
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
  std::map<FailureKind, int> failures;  // of earlier runs, towards the budgets
};

// How often a trial may fail of a kind before it is failed for good. nan, spec: 0 retries.
// preempted, node: unlimited. The rest: as given here; a retry of crash, cuda, oom and hang goes to
// another slot where there is one.
struct RetryBudgets {
  int oom = 1;
  int cuda = 2;
  int hang = 1;
  int crash = 2;
  int data = 1;
  int slot_failures_in_a_row = 5;  // on a slot, of different trials, none finished between: drained
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
struct TrialFailed {  // no retry is left
  TrialId trial;
  FailureKind kind;
};
struct SlotDrained {  // the slot fails everything, or takes nothing: nothing more is sent there
  SlotId slot;
  std::string reason;
};
using Command = std::variant<AssignTrial, WithdrawTrial, TrialFailed, SlotDrained>;
using Commands = std::vector<Command>;

enum class TrialPhase { pending, queued, running, finished, failed };

struct State;  // see state.h, which who calls make_state() must include

State make_state(RetryBudgets budgets = {});

// ---- events

// New trials, in grid order; may come during the run, when a stage expands. A trial that is known
// already is skipped.
void on_trials_added(State& state, std::span<const TrialSpec> trials, Commands& out);

// An agent and its slots. A slot id that was ever used is skipped.
void on_agent_joined(State& state, AgentId agent, std::span<const SlotId> slots, Commands& out);

// Its slots are gone: what ran there failed with `node`, what was queued there is pending again.
void on_agent_lost(State& state, AgentId agent, Commands& out);

// The attempt left its place in the slot's queue and runs.
void on_attempt_started(State& state, SlotId slot, TrialId trial, int attempt, Commands& out);

// `epoch` counts from 1. The seconds are the new measure of the trial's group; a value that is
// negative or no number is not counted.
void on_epoch(State& state, SlotId slot, TrialId trial, int attempt, int epoch, double wall_seconds,
              Commands& out);

void on_attempt_finished(State& state, SlotId slot, TrialId trial, int attempt, Commands& out);

// Also for an attempt that failed before it started. A trial without a retry left is reported by
// TrialFailed in the same call.
void on_attempt_failed(State& state, SlotId slot, TrialId trial, int attempt, FailureKind kind,
                       Commands& out);

// The slot gave the assignment back; its attempt number is used again. A slot that does so without
// having been asked is on its way out and is drained.
void on_withdrawn(State& state, SlotId slot, TrialId trial, int attempt, Commands& out);

// From here on nothing is assigned or withdrawn; what runs may go on to its end.
void on_stop_requested(State& state, Commands& out);

// ---- queries

// Every trial is finished or failed.
bool all_over(const State& state);

// Nothing is queued or running. With all_over() false and no slot in service, the run is to end
// with work left.
bool idle(const State& state);

int count(const State& state, TrialPhase phase);

// The phase of a trial; nullopt for one that was never added.
std::optional<TrialPhase> phase_of(const State& state, TrialId trial);

// Slots that may be given work: their agent is there and they are not drained.
int slots_in_service(const State& state);

// The attempts that run on an agent's slots (what is lost with it).
struct RunningAttempt {
  SlotId slot;
  TrialId trial;
  int attempt = 1;
};
std::vector<RunningAttempt> running_attempts(const State& state, AgentId agent);

// Expected seconds until all is over: the work left, shared evenly by the slots that can have a
// part in it. nullopt while no epoch was measured or no slot is in service. Costs O(groups).
std::optional<double> expected_remaining_seconds(const State& state);

// What is wrong with the state, for tests; nullopt = nothing. Costs O(trials + slots).
std::optional<std::string> check_invariants(const State& state);

}  // namespace windrow::scheduler
