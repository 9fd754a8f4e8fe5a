// The events of a run that goes well: trials and agents come, attempts start and finish.
#include <algorithm>
#include <cmath>
#include <utility>

#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/blame.h"
#include "orchestrator/scheduler/estimates.h"
#include "orchestrator/scheduler/gangs.h"
#include "orchestrator/scheduler/placement.h"
#include "orchestrator/scheduler/starts.h"

namespace windrow::scheduler {

namespace {

int group_of(State& state, int id) {
  const auto [found, is_new] = state.group_index.try_emplace(id, state.groups.size());
  if (is_new) state.groups.emplace_back();
  return found->second;
}

Trial make_trial(State& state, const TrialSpec& spec) {
  Trial trial{.id = spec.trial, .group = group_of(state, spec.group)};
  trial.wave = std::max(spec.wave, 0);
  trial.epochs = std::max(spec.epochs, 1);
  trial.epochs_done = trial.furthest = std::clamp(spec.committed_epochs, 0, trial.epochs);
  trial.declared_cost = std::isfinite(spec.declared_cost) ? std::max(spec.declared_cost, 0.0) : 0;
  trial.attempts = std::max(spec.attempts, 0);
  for (const auto& [kind, times] : spec.failures)
    trial.failures[static_cast<std::size_t>(kind)] = times;
  trial.earlier = spec.charges;
  trial.stopped_runs = spec.stopped_runs;
  const auto charged = [](const auto& failures) {
    return may_be_machines(failures.first) && failures.second > 0;
  };
  const auto times = [&](FailureKind kind) {
    return trial.failures[static_cast<std::size_t>(kind)];
  };
  const int interrupted = times(FailureKind::preempted) + times(FailureKind::node);
  const bool in_vain =
      spec.attempts > interrupted && spec.committed_epochs == 0 && spec.stopped_runs == 0;
  trial.failed_before = in_vain || std::ranges::any_of(spec.failures, charged);
  trial.widest = std::max(spec.widest, 1);
  if (trial.widest > 1) ++state.widenable;
  return trial;
}

// Where its attempt is: behind what is on record where a checkpoint is gone.
void set_epochs_done(State& state, Trial& trial, int epochs) {
  remove_work_left(state, trial);
  trial.epochs_done = std::clamp(epochs, 0, trial.epochs);
  trial.furthest = std::max(trial.furthest, trial.epochs_done);
  add_work_left(state, trial);
}

// Any word of an attempt shows that it runs, whether or not its start was told.
void begin_if_queued(State& state, Slot& slot) {
  if (slot.started) return;
  slot.started = true;
  slot.current.withdrawing = false;  // too late
  state.trials[slot.current.trial].attempts = slot.current.attempt;
  set_phase(state, slot.current.trial, TrialPhase::running);
}

}  // namespace

State make_state(RetryBudgets budgets, GangPolicy gangs) {
  State state;
  state.budgets = budgets;
  state.gangs = gangs;
  return state;
}

void on_trials_added(State& state, std::span<const TrialSpec> specs, Commands& out) {
  for (const TrialSpec& spec : specs) {
    const int index = static_cast<int>(state.trials.size());
    if (!state.trial_index.try_emplace(spec.trial, index).second) continue;
    state.trials.push_back(make_trial(state, spec));
    const Trial& trial = state.trials.back();
    ++state.trials_in_phase[static_cast<std::size_t>(TrialPhase::pending)];
    add_work_left(state, trial);
    if (spec.epoch_seconds > 0)
      measure(state, trial, spec.epoch_seconds, std::max(trial.epochs_done, 1));
    for (const auto& [members, seconds] : spec.gang_epoch_seconds)
      if (seconds > 0) state.groups[trial.group].by_members[members].add(seconds);
    make_pending(state, index);
  }
  dispatch(state, out);
}

void on_trainers_known(State& state) {
  state.ever_ready = state.trained_before = true;
}

void on_agent_joined(State& state, AgentId agent, std::span<const SlotId> slots, Commands& out,
                     const std::string& host) {
  for (const SlotId id : slots) {
    const int index = static_cast<int>(state.slots.size());
    if (!state.slot_index.try_emplace(id, index).second) continue;
    state.slots.push_back({.id = id, .agent = agent});
    Agent& owner = state.agents[agent];
    owner.slots.push_back(index);
    owner.host = host;
    enter_service(state, index);
    reindex(state, index);
  }
  dispatch(state, out);
}

void on_attempt_started(State& state, SlotId slot_id, TrialId trial, int attempt, Commands& out,
                        Takes takes, int resumed_from) {
  const int index = slot_running(state, slot_id, trial, attempt);
  if (index == kNone) return;
  begin_if_queued(state, state.slots[index]);
  trainer_started(state, index);
  Trial& begun = state.trials[state.slots[index].current.trial];
  set_epochs_done(state, begun, resumed_from);
  state.thread_takers += static_cast<int>(takes == Takes::threads) -
                         static_cast<int>(std::exchange(begun.takes, takes) == Takes::threads);
  reindex(state, index);
  dispatch(state, out);
}

void on_epoch(State& state, SlotId slot_id, TrialId trial_id, int attempt, int epoch,
              double wall_seconds, Commands& out, int members) {
  const int index = slot_running(state, slot_id, trial_id, attempt);
  if (index == kNone) return;
  Slot& slot = state.slots[index];
  Trial& trial = state.trials[slot.current.trial];
  begin_if_queued(state, slot);
  const bool is_further = epoch > trial.furthest;
  set_epochs_done(state, trial, epoch);
  if (members <= 1) measure(state, trial, wall_seconds, 1);
  judge_width(state, slot.current.trial, members, wall_seconds, out);
  clear_place(state, index);
  if (is_further) acquit_trial(state, index, slot.current.trial, out);
  reindex(state, index);
  dispatch(state, out);
}

void on_attempt_finished(State& state, SlotId slot_id, TrialId trial, int attempt, Commands& out) {
  const int index = slot_running(state, slot_id, trial, attempt);
  if (index == kNone) return;
  Slot& slot = state.slots[index];
  begin_if_queued(state, slot);
  clear_place(state, index);
  acquit_trial(state, index, slot.current.trial, out);
  if (state.trials[slot.current.trial].doomed == FailureKind::spec)
    give_up(state, slot.current.trial, FailureKind::spec, out);
  else
    end_trial(state, slot.current.trial, TrialPhase::finished);
  leave_slot(state, index, slot.current);
  dispatch(state, out);
}

void on_trial_refused(State& state, TrialId id, Commands& out) {
  const auto found = state.trial_index.find(id);
  if (found == state.trial_index.end()) return;
  Trial& trial = state.trials[found->second];
  trial.doomed = FailureKind::spec;
  // It may have been taken for finished before its last record was written.
  if (trial.phase != TrialPhase::finished) return;
  set_phase(state, found->second, TrialPhase::failed);
  out.push_back(TrialFailed{id, FailureKind::spec});
}

void on_trial_cancelled(State& state, TrialId id, Commands& out) {
  const auto found = state.trial_index.find(id);
  if (found == state.trial_index.end()) return;
  Trial& trial = state.trials[found->second];
  if (trial.phase == TrialPhase::finished || trial.phase == TrialPhase::failed || trial.doomed)
    return;
  trial.doomed = FailureKind::cancelled;
  if (trial.phase == TrialPhase::pending) {
    take_ready(state, found->second);
    give_up(state, found->second, FailureKind::cancelled, out);
    return;
  }
  Slot& slot = state.slots[trial.slot];
  const bool is_current = slot.current.trial == found->second;
  Assignment& place = is_current ? slot.current : slot.next;
  place.withdrawing = !is_current || !slot.started;
  out.push_back(EndAttempt{slot.id, id, place.attempt});
  reindex(state, trial.slot);
}

void on_stop_requested(State& state, Commands&) {
  state.stopping = true;
}

void on_time_left(State& state, double seconds, Commands& out) {
  state.seconds_left = seconds;
  dispatch(state, out);
}

}  // namespace windrow::scheduler
