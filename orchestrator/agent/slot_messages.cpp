// What the slot's trainer says: messages of the line protocol, or the lines of a process a trial.
#include <csignal>

#include "orchestrator/agent/slot_steps.h"

namespace windrow::slot {

using namespace protocol;

namespace {

bool is_of_attempt(const State& state, TrialId trial, int attempt) {
  return state.attempt && state.attempt->start.trial == trial &&
         state.attempt->start.attempt == attempt;
}

// A device's or the process's memory does not survive a bad trial: a new process for the next one.
// Nor does a GPU's context survive a collective that was cut off.
bool needs_a_new_process(TrainerFailure kind, const std::string& device) {
  return kind == TrainerFailure::oom || kind == TrainerFailure::cuda ||
         kind == TrainerFailure::crash || (kind == TrainerFailure::gang && device == "cuda");
}

void on_ready(State& state, Ready ready, Time now, Actions& out) {
  if (state.phase != Phase::starting) return;
  state.phase = Phase::ready;
  out.push_back(Report{TrainerReady{state.settings.slot, std::move(ready)}});
  begin_next(state, now, out);
}

void on_started(State& state, Started started, Actions& out) {
  state.silent_exits = 0;
  state.attempt->reached = std::max(state.attempt->reached, Reached::started);
  tell_started(state, std::move(started), out);
}

// Without a stated result it is that of the epochs that were seen: of the best one, where early
// stopping restores it, whether it came to a stop or not. Where we stopped it they alone count.
void on_finished(State& state, Finished finished, Time now, Actions& out) {
  state.silent_exits = 0;
  Attempt& attempt = *state.attempt;
  if (!(finished.wall_seconds > 0)) finished.wall_seconds = Seconds(now - attempt.began).count();
  if (attempt.stopped_early) finished.epochs = attempt.epochs;
  const bool as_seen = attempt.stopped_early || finished.result_epoch == 0;
  if (attempt.monitor && as_seen && finished.result.empty())
    finished.result_epoch =
        attempt.monitor->rule().restore_best ? attempt.monitor->best_epoch() : 0;
  finish_attempt(state, std::move(finished), out);
  begin_next(state, now, out);
}

void on_failed(State& state, const Failed& failed, Time now, Actions& out) {
  state.silent_exits = 0;
  const FailureKind kind = recorded_kind(failed.kind);
  if (state.phase == Phase::ending) return;  // with a reason of our own
  if (needs_a_new_process(failed.kind, state.attempt->start.device)) {
    end_process(state, {.kind = kind, .message = failed.message, .said = true}, SIGKILL, now, out);
    return;
  }
  if (state.attempt->stopped_early)  // it went on for a moment, which counts for nothing
    finish_as_seen(state, out);
  else
    fail_attempt(state, kind, failed.message, nullptr, out);
  begin_next(state, now, out);
}

void on_stopped(State& state, Time now, Actions& out) {
  if (state.phase == Phase::ending) return;
  if (state.attempt->stopped_early)
    finish_as_seen(state, out);
  else if (state.attempt->start.helping)  // its lead let it go
    finish_attempt(state, {}, out);
  else if (state.attempt->stop_asked)
    fail_attempt(state, FailureKind::preempted, "stopped on request", nullptr, out);
  else
    fail_attempt(state, FailureKind::crash, "the trainer says that it stopped, unasked", nullptr,
                 out);
  begin_next(state, now, out);
}

}  // namespace

void on_message(State& state, FromTrainer message, Time now, Actions& out) {
  const auto ours = [&](const auto& m) { return is_of_attempt(state, m.trial, m.attempt); };
  if (auto* ready = std::get_if<Ready>(&message)) {
    on_ready(state, std::move(*ready), now, out);
  } else if (auto* started = std::get_if<Started>(&message)) {
    if (ours(*started)) on_started(state, std::move(*started), out);
  } else if (auto* epoch = std::get_if<Epoch>(&message)) {
    if (ours(*epoch)) take_epoch(state, std::move(*epoch), now, out);
  } else if (auto* finished = std::get_if<Finished>(&message)) {
    if (ours(*finished)) on_finished(state, std::move(*finished), now, out);
  } else if (const auto* failed = std::get_if<Failed>(&message)) {
    if (ours(*failed)) on_failed(state, *failed, now, out);
  } else if (const auto* stopped = std::get_if<Stopped>(&message)) {
    if (ours(*stopped)) on_stopped(state, now, out);
  } else if (auto* log = std::get_if<protocol::Log>(&message)) {
    out.push_back(Log{std::move(log->level), std::move(log->text)});
  }
}

void on_broken_protocol(State& state, const std::string& why, Time now, Actions& out) {
  if (state.phase == Phase::ending || !state.has_process) return;
  const bool at_start = state.phase == Phase::starting;
  if (at_start && !state.attempt && !state.queue.empty()) take_front(state, now);
  const std::string when = at_start ? " before it was ready" : "";
  end_process(state,
              {.kind = FailureKind::crash,
               .message = "the trainer broke the line protocol" + when + ": " + why,
               .said = true},
              SIGKILL, now, out);
}

void on_printed_text(State& state) {
  if (state.attempt) state.attempt->reached = std::max(state.attempt->reached, Reached::started);
}

void on_printed_epoch(State& state, Epoch epoch, Time now, Actions& out) {
  if (state.attempt && !state.unexplained) take_epoch(state, std::move(epoch), now, out);
}

void on_printed_result(State& state, Metrics result, Time, Actions&) {
  if (!state.attempt) return;
  state.attempt->reached = std::max(state.attempt->reached, Reached::started);
  state.attempt->result = std::move(result);
}

void on_unread_line(State& state, const std::string& why, Actions& out) {
  if (!state.attempt) return;
  if (state.attempt->unread_lines++ == 0) warn_once(state, why, out);
}

void on_refused_line(State& state, const std::string& why, Time now, Actions& out) {
  if (!state.attempt || state.phase == Phase::ending) return;
  end_process(state, {.kind = FailureKind::spec, .message = why, .said = true}, SIGKILL, now, out);
}

}  // namespace windrow::slot
