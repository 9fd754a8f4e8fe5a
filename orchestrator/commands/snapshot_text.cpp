#include "orchestrator/commands/snapshot_text.h"

#include <cmath>
#include <sstream>

#include "orchestrator/console/progress.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

void add_table(std::vector<std::string>& lines, const std::string& heading,
               const storage::ResultTable& table) {
  if (table.rows.empty()) return;
  lines.emplace_back();
  lines.push_back(heading);
  std::istringstream text(storage::format_table(table, storage::TableStyle::text));
  for (std::string line; std::getline(text, line);) lines.push_back("  " + line);
}

}  // namespace

std::vector<std::string> snapshot_lines(const control::Snapshot& snapshot, double epochs_per_second,
                                        std::size_t most_slots) {
  std::vector<std::string> lines = progress_block(snapshot.run, epochs_per_second, "", most_slots);
  for (const auto& [stage, reason] : snapshot.run.short_stages)
    lines.push_back("stage " + stage + ": " + reason);
  add_table(lines, "best so far by " + snapshot.highlights.metric, snapshot.highlights.best);
  add_table(lines, "failed last (windrow show TRIAL tells more)", snapshot.highlights.failed);
  lines.emplace_back();
  std::string where = "run by pid " + std::to_string(snapshot.pid) + " on " + snapshot.host;
  constexpr double kOld = 15;
  if (snapshot.age_seconds > kOld)
    where += "; last heard of " + format_duration(snapshot.age_seconds) +
             " ago: it has ended, or the file system shows it late";
  lines.push_back(where);
  return lines;
}

}  // namespace windrow::commands
