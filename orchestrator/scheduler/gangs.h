// Gangs: slots that nothing waits for help the trials that run. Internal to the scheduler.
//
// A trial has one slot, its lead's; others are lent to it, for an epoch or many, and are taken back
// between epochs when something waits. A helper that is told to go is free only when it says so.
// How many helpers a trial should have is measured: see judge_width().
//
// A trial whose bits don't depend on its threads needs no second process: it is lent the threads of
// vacant slots of its own agent, always, and gives them back at once.
#pragma once

#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

// Lends vacant slots; to be called when what is pending has what it can have.
void lend(State& state, Commands& out);

// Likewise their threads alone, to attempts that take these.
void lend_threads(State& state, Commands& out);

// Slots of which only the threads are lent are vacant again, as many as something waits for.
void return_threads(State& state, Commands& out);

// Asks for lent slots back for what waits.
void recall(State& state, Commands& out);

// Whether another trial may begin at a vacant slot: not where a gang of fixed size lacks helpers.
bool may_begin_another(const State& state);

// An epoch of the trial took so long in a gang of so many members: the group learns how it scales,
// and a gang that is wider than is worth it loses helpers.
void judge_width(State& state, int trial, int members, double epoch_seconds, Commands& out);

// How many times faster than alone a gang of so many members is expected to be.
double speed_of(const Group& group, int members);

// The trial's attempt is over: its helpers will see that and go.
void disband(State& state, int trial);

// The slot is to help no longer: told to the lead, which lets it go.
void release(State& state, int slot, Commands& out);

// The slot helps no more.
void end_help(State& state, int slot, Commands& out);

}  // namespace windrow::scheduler
