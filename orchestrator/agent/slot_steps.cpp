#include "orchestrator/agent/slot_steps.h"

#include <algorithm>
#include <csignal>

#include "protocol/printed_lines.h"

namespace windrow::slot {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kTerminateGrace{30};  // between SIGTERM and SIGKILL
constexpr std::chrono::seconds kKillGrace{10};       // between SIGKILL and letting go

// Killed after its last epoch, an attempt may have nothing left to train.
bool stopped_early_before(const State& state, const Start& start) {
  if (!start.early_stopping || state.settings.shipped || start.committed_epochs == 0) return false;
  EarlyStoppingMonitor monitor(*start.early_stopping, start.watched_history);
  return monitor.should_stop();
}

void spawn(State& state, std::optional<Start> attempt, Time now, Actions& out) {
  state.phase = Phase::starting;
  state.has_process = true;
  state.spawned = now;
  state.output_closed_at.reset();
  out.push_back(Spawn{std::move(attempt)});
}

void begin_front(State& state, Time now, Actions& out) {
  const bool over = stopped_early_before(state, state.queue.front());
  const bool persistent = state.settings.trainer.persistent;
  if (persistent && state.phase == Phase::empty && !over) {
    spawn(state, std::nullopt, now, out);
    return;
  }
  take_front(state, now);
  if (over) {
    finish_as_seen(state, out);
    return;
  }
  state.last_sign = now;
  if (!persistent) {
    spawn(state, state.attempt->start, now, out);
    return;
  }
  state.phase = Phase::running;
  state.attempt->reached = Reached::ready;
  if (state.attempt->start.checkpoint_dir.empty()) {
    out.push_back(Write{state.attempt->start});
  } else {
    state.waits_for_folder = now;
    out.push_back(TakeFolder{state.attempt->start.checkpoint_dir});
  }
}

// The attempt is over; a process that lives on goes back to being ready.
void leave_attempt(State& state, Actions& out) {
  if (state.has_process && state.settings.trainer.persistent &&
      !state.attempt->start.checkpoint_dir.empty())
    out.push_back(LeaveFolder{});
  state.attempt.reset();
  state.waits_for_folder.reset();
  if (state.phase == Phase::running) state.phase = state.has_process ? Phase::ready : Phase::empty;
}

}  // namespace

void begin_next(State& state, Time now, Actions& out) {
  while (!state.queue.empty() && !state.attempt && !state.stopped_at && !state.leaving &&
         (state.phase == Phase::empty || state.phase == Phase::ready))
    begin_front(state, now, out);
}

void take_front(State& state, Time now) {
  state.attempt =
      Attempt{.start = std::move(state.queue.front()), .began = now, .last_epoch_at = now};
  state.queue.pop_front();
  Attempt& attempt = *state.attempt;
  attempt.epochs = attempt.start.committed_epochs;
  if (attempt.start.early_stopping && !state.settings.shipped)
    attempt.monitor.emplace(*attempt.start.early_stopping, attempt.start.watched_history);
}

void fail_attempt(State& state, FailureKind kind, const std::string& message, const Exit* exit,
                  Actions& out) {
  const Attempt& attempt = *state.attempt;
  AttemptFailed failed{.slot = state.settings.slot,
                       .trial = attempt.start.trial,
                       .attempt = attempt.start.attempt,
                       .kind = kind,
                       .message = message,
                       .reached = attempt.reached,
                       .unread_lines = attempt.unread_lines};
  if (exit != nullptr) {
    failed.exit_code = exit->code;
    failed.signal = exit->signal;
    failed.stderr_tail = exit->stderr_tail;
    if (kind == FailureKind::oom) failed.memory_limit = exit->memory_limit;
  }
  out.push_back(Report{std::move(failed)});
  leave_attempt(state, out);
}

void finish_attempt(State& state, Finished finished, Actions& out) {
  const Attempt& attempt = *state.attempt;
  finished.trial = attempt.start.trial;
  finished.attempt = attempt.start.attempt;
  tell_started(state, {}, out);
  if (finished.epochs == 0) finished.epochs = attempt.epochs;
  out.push_back(
      Report{AttemptFinished{state.settings.slot, std::move(finished), attempt.unread_lines}});
  leave_attempt(state, out);
}

void finish_as_seen(State& state, Actions& out) {
  Finished finished{.result = state.attempt->result};
  const auto& monitor = state.attempt->monitor;
  if (monitor && monitor->rule().restore_best) {
    finished.result.clear();
    finished.result_epoch = monitor->best_epoch();
  }
  finish_attempt(state, std::move(finished), out);
}

void end_process(State& state, Ending ending, int signal, Time now, Actions& out) {
  const bool killing = state.ending && state.ending->give_up_at;
  if (killing) return;
  if (state.ending) ending = *state.ending;  // the first reason stays
  ending.kill_at.reset();
  if (signal == SIGKILL)
    ending.give_up_at = now + kKillGrace;
  else
    ending.kill_at = now + kTerminateGrace;
  state.ending = std::move(ending);
  state.phase = Phase::ending;
  state.waits_for_folder.reset();
  out.push_back(Signal{signal});
}

void give_back_queue(State& state, Actions& out) {
  for (; !state.queue.empty(); state.queue.pop_front())
    out.push_back(Report{
        Withdrawn{state.settings.slot, state.queue.front().trial, state.queue.front().attempt}});
}

void warn_once(State& state, const std::string& text, Actions& out) {
  Attempt& attempt = *state.attempt;
  if (std::ranges::find(attempt.warned, text) != attempt.warned.end()) return;
  attempt.warned.push_back(text);
  out.push_back(Report{
      AttemptWarning{state.settings.slot, attempt.start.trial, attempt.start.attempt, text}});
}

void tell_started(State& state, Started started, Actions& out) {
  Attempt& attempt = *state.attempt;
  if (std::exchange(attempt.told, true)) return;
  started.trial = attempt.start.trial;
  started.attempt = attempt.start.attempt;
  out.push_back(Report{AttemptStarted{state.settings.slot, std::move(started)}});
}

// ---- epochs

namespace {

// A program may leave the time out, or tell an epoch in two lines.
void measure(Attempt& attempt, Epoch& epoch, Time now) {
  const bool same_epoch = attempt.reported_here && epoch.epoch == attempt.epochs;
  const double measured =
      Seconds(now - attempt.last_epoch_at).count() + (same_epoch ? attempt.last_wall_seconds : 0);
  if (!(epoch.wall_seconds > 0)) epoch.wall_seconds = measured;  // NaN too
  attempt.last_wall_seconds = epoch.wall_seconds;
  attempt.last_epoch_at = now;
}

void watch(State& state, const Epoch& epoch, Actions& out) {
  Attempt& attempt = *state.attempt;
  if (!attempt.monitor) return;
  const std::string& name = attempt.monitor->rule().metric;
  if (attempt.watched_epoch != epoch.epoch && attempt.watched_epoch > 0 && !attempt.watched_came)
    warn_once(state, missing_watched_metric(name, attempt.names_seen), out);
  if (attempt.watched_epoch != epoch.epoch) attempt.watched_came = false;
  attempt.watched_epoch = epoch.epoch;
  for (const auto& [metric, value] : epoch.metrics) {
    if (attempt.names_seen.size() < 100 &&
        std::ranges::find(attempt.names_seen, metric) == attempt.names_seen.end())
      attempt.names_seen.push_back(metric);
    if (metric != name) continue;
    attempt.watched_came = true;
    attempt.monitor->observe(epoch.epoch, value);
  }
}

// Whether the epoch after this one would end too late. A persistent trainer has begun it already
// and is asked while it trains it: for that one the epoch after the next counts.
bool out_of_time(const State& state, double epoch_seconds, Time now) {
  if (!state.settings.until) return false;
  constexpr double kMargin = 1.1;
  const int epochs = state.settings.trainer.persistent ? 2 : 1;
  return now +
             std::chrono::duration_cast<Time::duration>(Seconds(epochs * kMargin * epoch_seconds)) >
         *state.settings.until;
}

void ask_to_stop(State& state, Ending ending, Time now, Actions& out) {
  Attempt& attempt = *state.attempt;
  if (state.phase == Phase::ending || attempt.stop_asked) return;
  attempt.stop_asked = true;
  if (state.settings.trainer.persistent)
    out.push_back(Write{Stop{attempt.start.trial, attempt.start.attempt}});
  else
    end_process(state, std::move(ending), SIGTERM, now, out);
}

// What a resume skipped can't be had again.
void check_gap(State& state, const Epoch& epoch, Actions& out) {
  const Attempt& attempt = *state.attempt;
  if (attempt.reported_here || !state.found_checkpoints || state.settings.shipped ||
      epoch.epoch <= attempt.start.committed_epochs + 1)
    return;
  warn_once(state,
            "it goes on at epoch " + std::to_string(epoch.epoch) + ", but only " +
                std::to_string(attempt.start.committed_epochs) +
                " epochs are recorded; to lose none, go on after epoch WINDROW_RESUME and print "
                "again what lies after it",
            out);
}

}  // namespace

void take_epoch(State& state, Epoch epoch, Time now, Actions& out) {
  Attempt& attempt = *state.attempt;
  if (attempt.stopped_early && epoch.epoch > attempt.epochs) return;
  state.silent_exits = 0;
  check_gap(state, epoch, out);
  epoch.trial = attempt.start.trial;
  epoch.attempt = attempt.start.attempt;
  tell_started(state, {}, out);
  attempt.reached = Reached::epoch;
  measure(attempt, epoch, now);
  attempt.reported_here = true;
  attempt.epochs = std::max(attempt.epochs, epoch.epoch);
  watch(state, epoch, out);
  const double seconds = epoch.wall_seconds;
  out.push_back(Report{AttemptEpoch{state.settings.slot, std::move(epoch)}});
  if (attempt.monitor && !attempt.stopped_early && attempt.monitor->should_stop()) {
    attempt.stopped_early = true;
    ask_to_stop(state, {}, now, out);
  } else if (out_of_time(state, seconds, now)) {
    ask_to_stop(state, {.kind = FailureKind::preempted, .message = "no time for another epoch"},
                now, out);
  }
}

}  // namespace windrow::slot
