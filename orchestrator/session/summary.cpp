#include "orchestrator/session/summary.h"

#include <cmath>
#include <cstdio>

#include "orchestrator/console/progress.h"

namespace windrow {

namespace {

std::string percent(double share) {
  return std::to_string(std::lround(100 * share)) + "%";
}

// Where the time went that was not training; parts below one percent are not worth a word.
std::string time_text(const RunView& view, double wall_seconds) {
  const TimeUse& time = view.time;
  const double total = time.total();
  if (total <= 0 || view.lower_bound_seconds <= 0) return "";
  std::string text = "the slots trained " + percent(time.training / total) + " of their time";
  const auto add = [&](double seconds, const char* what) {
    if (seconds >= 0.005 * total) text += ", " + percent(seconds / total) + " " + what;
  };
  add(time.starting, "start-up");
  add(time.failed, "lost to failures");
  add(time.stopped, "in epochs that a stop cut short");
  add(time.idle, "without a trial");
  add(time.other, "other");
  const double bound = view.lower_bound_seconds;
  char times[32];
  std::snprintf(times, sizeof times, "%.2f", wall_seconds / bound);
  return text + "; " + times + " times the least that these slots can take (" +
         format_duration(bound) + ")";
}

}  // namespace

std::string summary_text(const RunView& view, RunEnd end, double wall_seconds) {
  std::string text = view.study + ": " + std::to_string(view.finished) + " of " +
                     std::to_string(view.trials) + " trials finished";
  if (view.failed > 0) text += ", " + std::to_string(view.failed) + " failed";
  text +=
      " (" + std::to_string(view.epochs_done) + " epochs in " + format_duration(wall_seconds) + ")";
  for (const auto* stages : {&view.waiting_stages, &view.short_stages})
    for (const auto& [stage, reason] : *stages) text += "; stage " + stage + ": " + reason;
  if (const std::string time = time_text(view, wall_seconds); !time.empty()) text += "; " + time;
  if (end == RunEnd::interrupted) text += "; work is left: the same command goes on";
  return text;
}

nlohmann::json summary_json(const RunView& view, double wall_seconds) {
  return {{"study", view.study},
          {"trials", view.trials},
          {"finished", view.finished},
          {"failed", view.failed},
          {"epochs", view.epochs_done},
          {"wall_seconds", wall_seconds},
          {"lower_bound_seconds", view.lower_bound_seconds},
          {"slot_seconds",
           {{"training", view.time.training},
            {"starting", view.time.starting},
            {"failed", view.time.failed},
            {"stopped", view.time.stopped},
            {"idle", view.time.idle},
            {"other", view.time.other}}},
          {"waiting_stages", view.waiting_stages},
          {"short_stages", view.short_stages}};
}

Exit exit_code(RunEnd end) {
  switch (end) {
    case RunEnd::all_done:
      return kAllDone;
    case RunEnd::some_failed:
      return kSomeFailed;
    case RunEnd::interrupted:
      return kInterrupted;
    case RunEnd::refused:
      break;
  }
  return kUsage;
}

}  // namespace windrow
