#include "orchestrator/scheduler/starts.h"

#include <algorithm>
#include <string>

#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/blame.h"
#include "orchestrator/scheduler/placement.h"

namespace windrow::scheduler {

namespace {

// Failed starts on a slot in a row, where none starts on another one either; and where trials were
// trained in this run, so that a shared folder may be away for a while.
constexpr int kStartsToStop = 3;
constexpr int kStartsToStopLater = 7;
// Where others train.
constexpr int kStartsToDrain = 7;

// No slot trains or is about to, none is untried whose agent is, and one was tried often enough.
bool none_starts(const State& state) {
  const auto out_of_it = [](const Slot& slot) {
    return !slot.in_service() || slot.failed_starts > 0 || (!slot.current && !slot.help);
  };
  const auto fails = [&](int slot) {
    return state.slots[slot].in_service() && state.slots[slot].failed_starts > 0;
  };
  const auto tried = [&](const auto& agent) {
    return agent.second.in_service == 0 || std::ranges::any_of(agent.second.slots, fails);
  };
  const bool trained = std::ranges::any_of(state.slots, &Slot::proven);
  const auto often = [&](const Slot& slot) {
    return slot.in_service() &&
           slot.failed_starts >= (trained ? kStartsToStopLater : kStartsToStop);
  };
  return std::ranges::all_of(state.slots, out_of_it) && std::ranges::all_of(state.agents, tried) &&
         std::ranges::any_of(state.slots, often);
}

bool another_trains(const State& state) {
  return std::ranges::any_of(state.slots, [](const Slot& slot) {
    return slot.in_service() && slot.started && slot.failed_starts == 0;
  });
}

}  // namespace

void trainer_started(State& state, int slot) {
  state.slots[slot].failed_starts = 0;
  state.ever_ready = true;
}

bool is_failed_start(const Failure& failure) {
  return failure.reached == protocol::Reached::nothing && failure.crowded.empty() &&
         (may_be_machines(failure.kind) || failure.kind == FailureKind::oom);
}

void judge_start(State& state, int index, int trial, int attempt, const Failure& failure,
                 Commands& out) {
  Slot& slot = state.slots[index];
  state.trials[trial].attempts = attempt;
  ++slot.failed_starts;
  if (const auto doomed = state.trials[trial].doomed) return give_up(state, trial, *doomed, out);
  out.push_back(FailureForgiven{state.trials[trial].id, attempt});
  make_pending(state, trial);
  if (state.stopping || !slot.in_service()) return;
  if (none_starts(state)) {
    using enum StopRun::Why;
    return stop_run(state, state.ever_ready ? all_alike : never_ready, out);
  }
  if (slot.failed_starts >= kStartsToDrain && another_trains(state))
    return drain(state, index,
                 "no trainer starts on it (" + std::string(to_string(failure.kind)) + ")", out);
  rest(state, index, slot.failed_starts - 1, out);
}

}  // namespace windrow::scheduler
