#include "orchestrator/console/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace windrow {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kLineEvery{10};
constexpr std::chrono::seconds kWindow{20};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2g" : "%.0f", value);
  return text;
}

std::string bar(double done, int width) {
  const int full = static_cast<int>(std::lround(done * width));
  return std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(width - full), '.');
}

}  // namespace

std::string format_duration(double seconds) {
  const auto s = static_cast<long long>(std::llround(seconds));
  char text[48];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%lld h %02lld min", s / 3600, s % 3600 / 60);
  else if (s >= 60)
    std::snprintf(text, sizeof text, "%lld min %02lld s", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld s", s);
  return text;
}

std::string progress_line(const RunView& view, double epochs_per_second) {
  std::string line = view.study + ": " + std::to_string(view.finished) + "/" +
                     std::to_string(view.trials) + " trials finished";
  if (view.failed > 0) line += ", " + std::to_string(view.failed) + " failed";
  line += ", " + std::to_string(view.running) + " running";
  if (epochs_per_second > 0) line += ", " + number(epochs_per_second) + " epochs/s";
  if (view.finished + view.failed < view.trials && view.seconds_left)
    line += ", about " + format_duration(*view.seconds_left) + " left";
  for (const auto& [stage, reason] : view.waiting_stages)
    line += "; stage " + stage + ": " + reason;
  if (view.stopping) line += "; stopping after the epochs in progress (Ctrl-C again: at once)";
  return line;
}

std::vector<std::string> progress_block(const RunView& view, double epochs_per_second,
                                        const std::string& best, std::size_t most_slots) {
  std::vector<std::string> lines = {progress_line(view, epochs_per_second)};
  const double share = view.trials == 0 ? 0 : std::min(1.0, view.trials_done / view.trials);
  // 100% is for when nothing is left.
  const auto percent = static_cast<int>(view.trials_done < view.trials ? 100 * share : 100);
  lines.push_back("[" + bar(share, 40) + "] " + std::to_string(percent) + "%");
  if (!best.empty()) lines.push_back("  best so far: " + best);
  for (std::size_t i = 0; i < view.slots.size() && i < most_slots; ++i) {
    const SlotView& slot = view.slots[i];
    std::string line = "  slot " + std::to_string(i) + " " + slot.host + " " + slot.device + "  ";
    if (!slot.trial)
      line += "idle";
    else
      line +=
          slot.what + "  epoch " + std::to_string(slot.epoch) + "/" + std::to_string(slot.epochs);
    lines.push_back(line);
  }
  if (view.slots.size() > most_slots)
    lines.push_back("  and " + std::to_string(view.slots.size() - most_slots) + " more slots");
  return lines;
}

double Progress::epochs_per_second(Clock::time_point now, const RunView& view) {
  window_.emplace_back(now, view.epochs_done);
  while (window_.size() > 2 && now - window_.front().first > kWindow) window_.pop_front();
  const auto& [since, before] = window_.front();
  const double seconds = std::chrono::duration<double>(now - since).count();
  if (seconds <= 0) return 0;
  return static_cast<double>(view.epochs_done - before) / seconds;
}

void Progress::tick(Clock::time_point now, const std::function<RunView()>& view,
                    const std::function<std::string()>& best) {
  if (now < next_ || console_.verbosity() == Console::Verbosity::quiet) return;
  const bool first = next_ == Clock::time_point{};
  next_ = now + (console_.terminal() ? std::chrono::milliseconds(kRedraw)
                                     : std::chrono::milliseconds(kLineEvery));
  // Elsewhere than on a terminal nothing is worth a line in the first moments.
  if (first && !console_.terminal()) {
    window_.emplace_back(now, 0);
    return;
  }
  draw(now, view(), best());
}

void Progress::draw(Clock::time_point now, const RunView& view, const std::string& best) {
  const double rate = epochs_per_second(now, view);
  if (console_.terminal())
    console_.redraw(progress_block(view, rate, best));
  else
    console_.log("info", progress_line(view, rate));
}

}  // namespace windrow
