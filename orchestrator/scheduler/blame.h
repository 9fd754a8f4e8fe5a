// Whose fault a failure is: the trial's, or the place's (a slot, an agent) where it happened.
// Internal to the scheduler.
//
// A failure that may be the machine's is charged to the trial and entered in the streaks of its
// slot and agent. What happens next is the evidence:
// - the trial goes further elsewhere than it ever did: the charge is taken back; enough of such
//   trials in a row, and the place is drained, until all places that are left fail trial after
//   trial: then it may be no worse than they are, and gets trials again;
// - the trial fails elsewhere too: it is the trial, and the first place is cleared of it;
// - the place reports an epoch: it is well, and the charge stands;
// - all slots fail trial after trial alike: the run is stopped, and all charges are taken back;
// - so it is where the last trials of a study that was trained in earlier runs fail before anything
//   was trained in this one, unless they failed before.
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

// How many failures of the kind a trial outlives; nullopt: any number.
std::optional<int> budget(const RetryBudgets& budgets, FailureKind kind);

// On how many agents in service the trial failed, or on whose hosts, in this run or one before.
int agents_failed(const State& state, const Trial& trial);
bool failed_at(const State& state, const Trial& trial, AgentId agent);
const std::string& host_of(const State& state, AgentId agent);  // "" = not known

// An epoch was reported on the slot, or a trial finished there: it is well.
void clear_place(State& state, int slot);

// The trial went further on the slot than it ever did, or finished there: what it failed of
// elsewhere was that place's fault. An epoch that only repeats what came before its failure says
// nothing of it.
void acquit_trial(State& state, int slot, int trial, Commands& out);

// Nothing more is assigned, and what fails now is charged to no trial.
void stop_run(State& state, StopRun::Why why, Commands& out);

// The trial is failed for good.
void give_up(State& state, int trial, FailureKind kind, Commands& out);

// The trial, which had begun, failed on the slot, which it has left. Books it, judges trial and
// places, and makes the trial pending again or failed.
void judge_failure(State& state, int slot, int trial, int attempt, const Failure& failure,
                   Commands& out);

}  // namespace windrow::scheduler
