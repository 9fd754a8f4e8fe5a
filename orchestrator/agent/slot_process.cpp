// What becomes of the slot's process: it starts, it falls silent, it ends.
#include <csignal>

#include "orchestrator/agent/slot_steps.h"
#include "protocol/printed_lines.h"

namespace windrow::slot {

using namespace protocol;

namespace {

// Within which a signal that ended a trainer and the same signal to this rank belong together: a
// batch system sends it to every process of a job.
constexpr std::chrono::seconds kSameSignal{2};
// And SIGKILL, of which this rank itself would be dead by then: its node goes down, or its job
// ends.
constexpr std::chrono::seconds kSameKill{1};

bool died_of(const Exit& exit, int signal) {
  return exit.signal == signal || exit.code == 128 + signal;  // as a shell reports it
}

// Died of one of the signals that batch systems and users send.
bool looks_signalled(const Exit& exit) {
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP})
    if (died_of(exit, number)) return true;
  return false;
}

void finish_by_exit_code(State& state, const Exit& exit, Actions& out) {
  const Attempt& attempt = *state.attempt;
  const bool said_something =
      attempt.reported_here || !attempt.result.empty() || attempt.start.committed_epochs > 0;
  if (said_something || state.settings.trainer.reports_nothing)
    finish_as_seen(state, out);
  else
    fail_attempt(
        state, FailureKind::spec,
        "the program ended with exit code 0 without an epoch or a result; " + how_to_report(),
        &exit, out);
}

// It took the attempt, said nothing of it and left: it may have been on its way out. Not twice.
void begin_again(State& state, const Exit& exit, Actions& out) {
  if (++state.silent_exits < 2) {
    state.queue.push_front(std::move(state.attempt->start));
    state.attempt.reset();
    return;
  }
  state.silent_exits = 0;
  fail_attempt(state, FailureKind::crash,
               "the trainer ended with " + exit.describe + " before it said started, twice", &exit,
               out);
}

void end_unordered(State& state, const Exit& exit, Time now, Actions& out) {
  std::string text = "the trainer ended with " + exit.describe;
  if (state.attempt->reached == Reached::nothing) text += " before it said ready";
  if (!state.attempt->result.empty()) text += " after it had stated its result";
  const bool signalled = looks_signalled(exit);
  if (exit.memory_ran_out && !signalled) {
    fail_attempt(state, FailureKind::oom,
                 text +
                     "; the kernel killed processes here, since memory ran out: ask for more "
                     "memory, or train fewer trials at a time (--slots)",
                 &exit, out);
  } else if (!signalled && !died_of(exit, SIGKILL)) {
    fail_attempt(state, FailureKind::crash, text, &exit, out);
  } else if (state.leaving || (state.stopped_at && now - *state.stopped_at < kSameSignal)) {
    fail_attempt(state, FailureKind::preempted, text, &exit, out);
  } else {
    state.phase = Phase::ending;
    state.unexplained = Unexplained{now + (signalled ? kSameSignal : kSameKill), text, exit};
  }
}

void end_attempt(State& state, const std::optional<Ending>& ending, const Exit& exit, Time now,
                 Actions& out) {
  const bool persistent = state.settings.trainer.persistent;
  if (state.attempt->stopped_early)  // whatever became of the trainer since
    finish_as_seen(state, out);
  else if (ending && ending->kind)
    fail_attempt(state, *ending->kind, ending->message, ending->said ? nullptr : &exit, out);
  else if (!persistent && exit.code == 0)
    finish_by_exit_code(state, exit, out);
  else if (persistent && state.attempt->reached == Reached::ready && !looks_signalled(exit) &&
           !exit.memory_ran_out)
    begin_again(state, exit, out);
  else
    end_unordered(state, exit, now, out);
}

}  // namespace

void on_spawned(State& state, bool found_checkpoints, Time now, Actions& out) {
  state.last_sign = now;
  if (state.settings.trainer.persistent || !state.attempt || state.phase != Phase::starting) return;
  Attempt& attempt = *state.attempt;
  state.waits_for_folder.reset();
  state.found_checkpoints = found_checkpoints;
  state.phase = Phase::running;
  attempt.reached = Reached::ready;
  attempt.began = attempt.last_epoch_at = now;
  tell_started(state, {.resumed_from_epoch = found_checkpoints ? attempt.epochs : 0}, out);
}

void on_spawn_failed(State& state, const std::string& why, Time now, Actions& out,
                     FailureKind kind) {
  state.has_process = false;
  state.ending.reset();
  state.phase = state.leaving ? Phase::quiet : Phase::empty;
  if (!state.attempt && !state.queue.empty()) take_front(state, now);
  if (state.attempt) fail_attempt(state, kind, why, nullptr, out);
  begin_next(state, now, out);
}

void on_folder_busy(State& state, const std::string& holder, Time now, Actions& out) {
  if (!state.attempt) return;
  if (!state.waits_for_folder) state.waits_for_folder = now;
  warn_once(state,
            "it waits for the processes of an earlier attempt to end" +
                (holder.empty() ? "" : " (" + holder + ")"),
            out);
}

void on_folder_taken(State& state, bool found_checkpoints, Time now, Actions& out) {
  if (!state.attempt || !state.waits_for_folder || state.phase != Phase::running) return;
  state.waits_for_folder.reset();
  state.found_checkpoints = found_checkpoints;
  state.last_sign = now;
  state.attempt->began = state.attempt->last_epoch_at = now;
  out.push_back(Write{state.attempt->start});
}

void on_output(State& state, Time now) {
  state.last_sign = now;
}

void on_output_closed(State& state, Time now) {
  state.output_closed_at = now;
}

void on_exit(State& state, const Exit& exit, Time now, Actions& out) {
  if (!state.has_process) return;
  state.has_process = false;
  state.waits_for_folder.reset();
  const bool at_start = state.phase == Phase::starting;
  const std::optional<Ending> ending = std::exchange(state.ending, std::nullopt);
  state.phase = state.leaving ? Phase::quiet : Phase::empty;
  if (at_start && !state.attempt && !state.queue.empty()) take_front(state, now);
  if (state.attempt) end_attempt(state, ending, exit, now, out);
  begin_next(state, now, out);
}

}  // namespace windrow::slot
