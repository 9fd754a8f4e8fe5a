#include "orchestrator/results/verified.h"

#include <array>
#include <cstdio>
#include <set>

#include "orchestrator/results/texts.h"
#include "protocol/nearest.h"

namespace windrow {
namespace {

std::string all_digits(double value) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.17g", value);
  return buffer.data();
}

// "" where they are the same.
std::string difference(const RecordedEpoch& record, const RecordedEpoch& again) {
  for (const auto& [name, value] : record.metrics) {
    const auto now = again.metrics.find(name);
    if (now == again.metrics.end()) return name + ": not reported now";
    if (now->second != value)
      return name + ": " + all_digits(value) + " on record, " + all_digits(now->second) + " now";
  }
  // Metrics first: they say more.
  const bool have_states = !record.state_hash.empty() && !again.state_hash.empty();
  return have_states && record.state_hash != again.state_hash ? "the state" : "";
}

}  // namespace

RecordedEpochs recorded_epochs(storage::Reader& reader, std::int64_t trial) {
  RecordedEpochs epochs;
  const std::string of_trial = " WHERE trial = " + std::to_string(trial);
  for (const auto& row : reader.query("SELECT epoch, state_hash FROM epochs" + of_trial).rows)
    epochs[static_cast<int>(std::get<std::int64_t>(row[0]))].state_hash = text_of(row[1]);
  for (const auto& row :
       reader.query("SELECT epoch, metric, value FROM epoch_metrics" + of_trial).rows)
    if (const auto value = number_of(row[2]))
      epochs[static_cast<int>(std::get<std::int64_t>(row[0]))].metrics[text_of(row[1])] = *value;
  return epochs;
}

std::string computed_by(storage::Reader& reader, std::int64_t trial) {
  std::vector<std::string> kinds;
  for (const auto& row : reader
                             .query("SELECT DISTINCT device_kind || ' in ' || precision FROM "
                                    "attempts WHERE trial = " +
                                    std::to_string(trial) +
                                    " AND device_kind IS NOT NULL AND precision IS NOT NULL "
                                    "ORDER BY 1")
                             .rows)
    kinds.push_back(text_of(row[0]));
  return joined(kinds);
}

Verified verify(const RecordedEpochs& record, const RecordedEpochs& again, int last) {
  Verified verified;
  for (const auto& [number, epoch] : record) {
    if (last > 0 && number > last) break;
    const auto now = again.find(number);
    if (now == again.end()) {
      ++verified.missing;
      continue;
    }
    ++verified.compared;
    verified.by_state += !epoch.state_hash.empty() && !now->second.state_hash.empty();
    if (verified.differs_at > 0) continue;
    verified.what = difference(epoch, now->second);
    if (!verified.what.empty()) verified.differs_at = number;
  }
  return verified;
}

}  // namespace windrow
