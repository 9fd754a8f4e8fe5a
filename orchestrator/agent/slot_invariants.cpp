#include "orchestrator/agent/slot.h"

namespace windrow::slot {

std::optional<std::string> check_invariants(const State& state) {
  const bool persistent = state.settings.trainer.persistent;
  const auto says = [](const char* text) { return std::optional<std::string>(text); };
  switch (state.phase) {
    case Phase::empty:
      if (state.has_process) return says("empty, but it has a process");
      if (state.attempt) return says("empty, but it has an attempt");
      break;
    case Phase::starting:
      if (!state.has_process) return says("starting without a process");
      if (persistent == state.attempt.has_value())
        return says("starting: a process a trial has its attempt, a persistent trainer none yet");
      break;
    case Phase::ready:
      if (!state.has_process || !persistent) return says("ready without a persistent trainer");
      if (state.attempt) return says("ready, but it has an attempt");
      break;
    case Phase::running:
      if (!state.has_process || !state.attempt) return says("running without process or attempt");
      break;
    case Phase::ending:
      if (state.has_process == state.unexplained.has_value())
        return says("ending: either a process is ended, or its end waits for an explanation");
      if (state.has_process && !state.ending) return says("ending without a reason");
      break;
    case Phase::quiet:
      if (state.has_process || state.attempt) return says("quiet, but something is left");
      break;
  }
  if (state.unexplained && !state.attempt) return says("an unexplained end of no attempt");
  const bool may_wait = state.phase == Phase::starting || state.phase == Phase::running;
  if (state.waits_for_folder && !may_wait) return says("waits for a folder that it needs not");
  if (!state.queue.empty() && (state.stopped_at || state.leaving))
    return says("stopped, but something is queued");
  if (!state.queue.empty() && !state.attempt && state.phase == Phase::empty)
    return says("free, but something is queued");
  return std::nullopt;
}

}  // namespace windrow::slot
