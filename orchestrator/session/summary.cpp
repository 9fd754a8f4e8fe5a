#include "orchestrator/session/summary.h"

#include "orchestrator/console/progress.h"

namespace windrow {

std::string summary_text(const RunView& view, RunEnd end, double wall_seconds) {
  std::string text = view.study + ": " + std::to_string(view.finished) + " of " +
                     std::to_string(view.trials) + " trials finished";
  if (view.failed > 0) text += ", " + std::to_string(view.failed) + " failed";
  text +=
      " (" + std::to_string(view.epochs_done) + " epochs in " + format_duration(wall_seconds) + ")";
  for (const auto* stages : {&view.waiting_stages, &view.short_stages})
    for (const auto& [stage, reason] : *stages) text += "; stage " + stage + ": " + reason;
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
