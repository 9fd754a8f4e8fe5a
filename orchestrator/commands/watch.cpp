// windrow watch: a run's progress on any host that sees its database's folder.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/snapshot_text.h"
#include "orchestrator/control/snapshot.h"
#include "storage/reader.h"

namespace windrow::commands {
namespace {

struct WatchOptions {
  std::string database = "windrow.db";
  double interval = 2;
  bool once = false;
};

// Lines that take the place of those before, on a terminal.
class Screen {
 public:
  void show(const std::vector<std::string>& lines) {
    if (!terminal_ && shown_ > 0) std::cout << "\n";
    if (terminal_ && shown_ > 0) std::cout << "\x1b[" << shown_ << "A\x1b[J";
    for (const std::string& line : lines) std::cout << line << "\n";
    std::cout.flush();
    shown_ = lines.size();
  }
  bool terminal() const { return terminal_; }

 private:
  bool terminal_ = isatty(STDOUT_FILENO) == 1;
  std::size_t shown_ = 0;
};

// Of the last snapshots.
class Rate {
 public:
  double of(const control::Snapshot& snapshot) {
    const auto now = Clock::now();
    const std::int64_t done = snapshot.run.epochs_done;
    if (!seen_.empty() && done < seen_.back().second) seen_.clear();  // another run
    seen_.emplace_back(now, done);
    while (seen_.size() > 2 && now - seen_.front().first > std::chrono::seconds(30))
      seen_.pop_front();
    const double seconds = std::chrono::duration<double>(now - seen_.front().first).count();
    return seconds > 0 ? static_cast<double>(done - seen_.front().second) / seconds : 0;
  }

 private:
  std::deque<std::pair<Clock::time_point, std::int64_t>> seen_;
};

// Where no run works on it now: what the database has.
std::vector<std::string> standing(const std::string& database, bool waits) {
  std::optional<storage::Reader> opened;
  try {
    opened.emplace(database);
  } catch (const storage::StorageError& error) {  // a run that is to begin will make it
    if (!waits) throw;
    return {error.what()};
  }
  storage::Reader& reader = *opened;
  std::vector<std::string> lines;
  for (const auto& study : reader.studies()) {
    const auto counts = reader.counts(study.name);
    lines.push_back(study.name + ": " + std::to_string(counts.finished) + " of " +
                    std::to_string(counts.total()) + " finished, " + std::to_string(counts.failed) +
                    " failed");
  }
  return lines;
}

int watch(const WatchOptions& options) {
  Screen screen;
  Rate rate;
  bool seen = false;
  while (true) {
    const auto snapshot = control::read_snapshot(control::snapshot_file(options.database));
    std::vector<std::string> lines;
    if (snapshot) {
      lines = snapshot_lines(*snapshot, rate.of(*snapshot));
    } else {
      lines = standing(options.database, !options.once && screen.terminal());
      lines.push_back(seen ? "the run has ended" : "no run works on it now");
    }
    screen.show(lines);
    // A run that is to begin is waited for; one that was seen has ended.
    if (options.once || (!snapshot && (seen || !screen.terminal()))) return kAllDone;
    seen = seen || snapshot;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval));
  }
}

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* command = app.add_subcommand(
      "watch", "Follow a run from any host: trials, slots, the best so far, the last failures");
  add_database_option(*command, options->database);
  command->add_option("--interval", options->interval, "seconds between two looks")
      ->check(CLI::Range(0.2, 3600.0))
      ->capture_default_str();
  command->add_flag("--once", options->once, "one look");
  command->footer(
      "It reads DATABASE.status.json, which a run replaces every two seconds; the database itself\n"
      "is not opened while there is one. It ends with the run.\n\n"
      "Examples:\n"
      "  windrow watch\n"
      "  windrow watch --db /scratch/me/p1.db --once");
  command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace windrow::commands
