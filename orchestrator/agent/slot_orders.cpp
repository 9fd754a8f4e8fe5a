// What the slot is told: attempts to run, and to stop; and what the time brings.
#include <algorithm>
#include <csignal>

#include "orchestrator/agent/slot_steps.h"

namespace windrow::slot {

using namespace protocol;

namespace {

// An earlier attempt's processes are gone by then, or never will be.
constexpr std::chrono::minutes kFolderLimit{10};

// Between the end of a persistent trainer's stdout, on which all that it says would come, and its
// exit.
constexpr std::chrono::seconds kSpeechlessLimit{10};

std::string whole_seconds(double seconds) {
  return std::to_string(static_cast<long>(seconds)) + " s";
}

Time later(Time now, double seconds) {
  return now + std::chrono::duration_cast<Time::duration>(Seconds(seconds));
}

bool passed(const std::optional<Time>& deadline, Time now) {
  return deadline && now >= *deadline;
}

// Of a persistent trainer that knows nothing of the attempt yet, since its folder is not free.
void give_back_waiting(State& state, Actions& out) {
  const Start& start = state.attempt->start;
  out.push_back(Report{Withdrawn{state.settings.slot, start.trial, start.attempt}});
  out.push_back(LeaveFolder{});
  state.attempt.reset();
  state.waits_for_folder.reset();
  state.phase = Phase::ready;
}

void stop_attempt(State& state, bool at_once, Time now, Actions& out) {
  Attempt& attempt = *state.attempt;
  const bool persistent = state.settings.trainer.persistent;
  if (persistent && state.waits_for_folder) {
    give_back_waiting(state, out);
  } else if (at_once || state.phase == Phase::starting) {
    end_process(state, {.kind = FailureKind::preempted, .message = "stopped at once"}, SIGKILL, now,
                out);
  } else if (state.phase == Phase::ending || attempt.stop_asked) {
    // it is on its way
  } else if (persistent) {
    attempt.stop_asked = true;
    out.push_back(Write{Stop{attempt.start.trial, attempt.start.attempt}});
  } else {
    attempt.stop_asked = true;
    end_process(state, {.kind = FailureKind::preempted, .message = "stopped by SIGTERM"}, SIGTERM,
                now, out);
  }
}

void give_up(State& state, Actions& out) {
  const std::string text = "its process outlives SIGKILL";
  const Ending ending = *state.ending;
  out.push_back(LetGo{});
  state.has_process = false;
  state.phase = Phase::quiet;
  state.ending.reset();
  if (state.attempt)
    fail_attempt(state, ending.kind.value_or(FailureKind::hang),
                 ending.message + (ending.message.empty() ? "" : "; ") + text, nullptr, out);
  out.push_back(Report{SlotLost{state.settings.slot, text}});
  give_back_queue(state, out);
}

void end_hanging(State& state, Time now, Actions& out) {
  const double limit = state.settings.trainer.hang_seconds;
  if (limit <= 0 || state.phase != Phase::running || state.waits_for_folder) return;
  if (Seconds(now - state.last_sign).count() <= limit) return;
  end_process(state,
              {.kind = FailureKind::hang, .message = "no output for " + whole_seconds(limit)},
              SIGKILL, now, out);
}

void end_slow_start(State& state, Time now, Actions& out) {
  const double limit = state.settings.trainer.ready_seconds;
  if (!state.settings.trainer.persistent || state.phase != Phase::starting ||
      Seconds(now - state.spawned).count() <= limit)
    return;
  if (!state.attempt && !state.queue.empty()) take_front(state, now);
  end_process(state,
              {.kind = FailureKind::crash,
               .message = "the trainer did not say ready within " + whole_seconds(limit)},
              SIGKILL, now, out);
}

void end_speechless(State& state, Time now, Actions& out) {
  if (!state.settings.trainer.persistent || state.phase == Phase::ending ||
      !state.output_closed_at || now - *state.output_closed_at < kSpeechlessLimit)
    return;
  on_broken_protocol(state, "it closed its standard output", now, out);
}

void end_waiting_for_folder(State& state, Time now, Actions& out) {
  if (!state.waits_for_folder || now - *state.waits_for_folder < kFolderLimit) return;
  end_process(
      state,
      {.kind = FailureKind::node,
       .message = "processes of an earlier attempt hold " + state.attempt->start.checkpoint_dir +
                  " for " + whole_seconds(Seconds(kFolderLimit).count()) + "; end them"},
      SIGKILL, now, out);
}

}  // namespace

void on_assign(State& state, Start start, Time now, Actions& out) {
  state.queue.push_back(std::move(start));
  if (state.stopped_at || state.leaving || state.phase == Phase::quiet)
    give_back_queue(state, out);
  else
    begin_next(state, now, out);
}

void on_withdraw(State& state, TrialId trial, int attempt, Actions& out) {
  const auto found = std::ranges::find_if(state.queue, [&](const Start& start) {
    return start.trial == trial && start.attempt == attempt;
  });
  if (found == state.queue.end()) return;
  state.queue.erase(found);
  out.push_back(Report{Withdrawn{state.settings.slot, trial, attempt}});
}

// A program of the user's own has a moment to end well; a trainer that serves others is made anew.
void on_cancel(State& state, TrialId trial, int attempt, Time now, Actions& out) {
  on_withdraw(state, trial, attempt, out);
  if (!state.attempt || state.attempt->start.trial != trial ||
      state.attempt->start.attempt != attempt || state.phase == Phase::ending)
    return;
  const bool persistent = state.settings.trainer.persistent;
  if (persistent && state.waits_for_folder) {
    give_back_waiting(state, out);
    begin_next(state, now, out);
  } else {
    const bool gently = !persistent && state.phase == Phase::running;
    end_process(state, {.kind = FailureKind::cancelled, .message = "cancelled on request"},
                gently ? SIGTERM : SIGKILL, now, out);
  }
}

// One that is over is not told.
void on_gang(State& state, const SetGang& gang, Actions& out) {
  if (state.phase == Phase::running && state.attempt && state.attempt->start.trial == gang.trial &&
      state.attempt->start.attempt == gang.attempt)
    out.push_back(Write{gang});
}

void on_stop(State& state, bool at_once, std::optional<double> within_seconds, Time now,
             Actions& out) {
  if (!state.stopped_at) state.stopped_at = now;
  if (!within_seconds && state.settings.stop_within_seconds > 0)
    within_seconds = state.settings.stop_within_seconds;
  if (within_seconds) {
    const Time deadline = later(now, *within_seconds);
    state.stop_deadline = std::min(state.stop_deadline.value_or(deadline), deadline);
  }
  give_back_queue(state, out);
  if (state.unexplained) {  // the signal that it died of was the one that stops us
    const Unexplained end = *std::exchange(state.unexplained, std::nullopt);
    state.phase = Phase::empty;
    fail_attempt(state, FailureKind::preempted, end.message, &end.exit, out);
  } else if (state.attempt) {
    stop_attempt(state, at_once, now, out);
  }
}

void on_shut_down(State& state, Time now, Actions& out) {
  state.leaving = true;
  give_back_queue(state, out);
  if (state.unexplained) {
    const Unexplained end = *std::exchange(state.unexplained, std::nullopt);
    fail_attempt(state, FailureKind::preempted, end.message, &end.exit, out);
  }
  if (!state.has_process) {
    state.phase = Phase::quiet;
  } else if (state.settings.trainer.persistent) {
    out.push_back(CloseInput{});
    state.phase = Phase::ending;
    if (!state.ending) state.ending = Ending{.kind = FailureKind::preempted, .message = "left"};
  } else {
    end_process(state, {.kind = FailureKind::preempted, .message = "left"}, SIGTERM, now, out);
  }
}

void on_abandon(State& state, Actions& out) {
  if (state.has_process) {
    out.push_back(Signal{SIGKILL});
    out.push_back(LetGo{});
  }
  state.has_process = false;
  state.ending.reset();
  state.attempt.reset();
  state.unexplained.reset();
  state.phase = Phase::quiet;
}

void on_time(State& state, Time now, Actions& out) {
  if (state.unexplained && now >= state.unexplained->until) {
    const Unexplained end = *std::exchange(state.unexplained, std::nullopt);
    state.phase = Phase::empty;
    fail_attempt(state, FailureKind::crash, end.message, &end.exit, out);
    begin_next(state, now, out);
  }
  if (!state.has_process) return;
  if (state.ending && passed(state.ending->give_up_at, now)) return give_up(state, out);
  if (state.ending && passed(state.ending->kill_at, now)) end_process(state, {}, SIGKILL, now, out);
  if (passed(state.stop_deadline, now) && state.attempt)
    end_process(state,
                {.kind = FailureKind::preempted, .message = "it did not stop within the limit"},
                SIGKILL, now, out);
  end_waiting_for_folder(state, now, out);
  end_hanging(state, now, out);
  end_slow_start(state, now, out);
  end_speechless(state, now, out);
}

bool is_idle(const State& state) {
  return !state.attempt && state.queue.empty();
}

bool is_quiet(const State& state) {
  return state.phase == Phase::quiet;
}

}  // namespace windrow::slot
