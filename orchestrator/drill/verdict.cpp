#include "orchestrator/drill/verdict.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "orchestrator/drill/small_study.h"
#include "protocol/failure.h"
#include "storage/reader.h"

namespace windrow::drill {
namespace {

using storage::Value;

std::int64_t integer(const Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

std::string text(const Value& value) {
  const auto* string = std::get_if<std::string>(&value);
  return string == nullptr ? "" : *string;
}

// ISO 8601, as the views have times, in milliseconds since 1970.
std::string milliseconds(const std::string& column) {
  return "CAST(round((julianday(" + column + ") - 2440587.5) * 86400000) AS INTEGER)";
}

// Kinds that count against a trial.
bool is_charged(const std::string& outcome) {
  const auto kind = protocol::failure_kind(outcome);
  return kind && *kind != protocol::FailureKind::node &&
         *kind != protocol::FailureKind::preempted && *kind != protocol::FailureKind::gang;
}

std::optional<double> seconds_between(std::int64_t from_ms, std::int64_t to_ms) {
  if (to_ms == 0) return std::nullopt;
  return static_cast<double>(std::max<std::int64_t>(to_ms - from_ms, 0)) / 1000;
}

// The end of the attempt that was hit; where none was, that of the launch.
std::int64_t noticed_at(const Record& record) {
  if (record.launches > 1) return record.first_end_ms;
  for (const AttemptRow& attempt : record.attempts)
    if (attempt.trial == record.done->trial && attempt.attempt == record.done->attempt &&
        attempt.outcome != "finished")
      return attempt.ended_ms;
  return 0;
}

// The first epoch that is recorded after the fault: of the trial that was hit, in another attempt
// where that one was lost.
std::int64_t recovered_at(const Record& record, std::int64_t noticed_ms) {
  if (record.recovered_ms > 0) return record.recovered_ms;
  const Done& done = *record.done;
  const bool is_of_a_trial = done.trial > 0;
  std::int64_t first = 0;
  for (const EpochRow& row : record.epochs) {
    if (row.committed_ms < std::max(noticed_ms, done.at_ms)) continue;
    if (is_of_a_trial && row.trial != done.trial) continue;
    if (is_of_a_trial && noticed_ms > 0 && row.attempt == done.attempt) continue;
    if (first == 0 || row.committed_ms < first) first = row.committed_ms;
  }
  return first;
}

std::vector<std::string> broken_promises(const Fault& fault, const Record& record) {
  std::vector<std::string> broken;
  const auto tell = [&](bool holds, const std::string& promise) {
    if (!holds) broken.push_back(promise);
  };
  if (!record.trouble.empty()) broken.push_back(record.trouble);
  tell(record.failed == 0, std::to_string(record.failed) + " trials failed for good");
  const int open = record.trials - record.finished - record.failed;
  tell(open == 0, std::to_string(open) + " trials are not over");
  std::set<std::pair<std::int64_t, int>> places;
  int wrong = 0;
  for (const EpochRow& row : record.epochs) {
    places.emplace(row.trial, row.epoch);
    wrong +=
        row.state_hash != state_hash(state_after(static_cast<std::uint64_t>(row.x), row.epoch));
  }
  const int expected = kEpochs * record.finished;
  tell(places.size() == record.epochs.size(), "epochs are on record twice");
  tell(static_cast<int>(places.size()) >= expected,
       std::to_string(expected - static_cast<int>(places.size())) + " epochs are missing");
  tell(wrong == 0, std::to_string(wrong) + " epochs have other numbers than undisturbed ones");
  int innocents = 0;
  for (const AttemptRow& attempt : record.attempts)
    innocents += is_charged(attempt.outcome) &&
                 !(fault.charged && record.done && attempt.trial == record.done->trial);
  tell(innocents == 0, std::to_string(innocents) + " attempts were blamed that did nothing wrong");
  for (const std::string& process : record.left) broken.push_back(process + " still runs");
  return broken;
}

}  // namespace

void read_database(const std::filesystem::path& database, Record& record) {
  storage::Reader reader(database);
  for (const auto& row :
       reader
           .query("SELECT e.trial, t.x, e.epoch, e.attempt, e.state_hash, " +
                  milliseconds("e.committed_at") +
                  " FROM epochs e JOIN trials t USING (trial) ORDER BY e.trial, e.epoch")
           .rows)
    record.epochs.push_back({integer(row[0]), integer(row[1]), static_cast<int>(integer(row[2])),
                             static_cast<int>(integer(row[3])), text(row[4]), integer(row[5])});
  for (const auto& row : reader
                             .query("SELECT trial, attempt, outcome, " + milliseconds("ended_at") +
                                    " FROM attempts ORDER BY 1, 2")
                             .rows)
    record.attempts.push_back(
        {integer(row[0]), static_cast<int>(integer(row[1])), text(row[2]), integer(row[3])});
  const storage::StateCounts counts = reader.counts("drill");
  record.finished = static_cast<int>(counts.finished);
  record.failed = static_cast<int>(counts.failed);
}

Outcome judge(const Fault& fault, const Record& record) {
  Outcome outcome;
  if (!record.done)
    outcome.not_tried =
        record.not_tried.empty() ? "no trainer was there that could do it" : record.not_tried;
  outcome.launches = record.launches;
  outcome.broken = broken_promises(fault, record);
  outcome.lost_epochs = std::max(0, record.begun - static_cast<int>(record.epochs.size()));
  if (!record.done) return outcome;
  const std::int64_t noticed = noticed_at(record);
  outcome.noticed_seconds = seconds_between(record.done->at_ms, noticed);
  outcome.recovered_seconds = seconds_between(record.done->at_ms, recovered_at(record, noticed));
  return outcome;
}

}  // namespace windrow::drill
