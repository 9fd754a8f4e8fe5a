// Short ways to say what tests record and ask.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/reader.h"
#include "storage/store.h"

namespace windrow::storage {

inline const StudyRecord kStudy{"p1", "study: p1\n", "hash-1"};

// Cells {lr: 0.1 * (i + 1), optimizer: "sgd"} of stage "main".
inline std::vector<CellRecord> some_cells(int count) {
  std::vector<CellRecord> cells;
  for (int i = 0; i < count; ++i)
    cells.push_back(
        {"cell-" + std::to_string(i), {{"lr", 0.1 * (i + 1)}, {"optimizer", "sgd"}}, {"main"}});
  return cells;
}

inline AttemptBegan began(TrialId trial, int attempt = 1, Json info = Json::object()) {
  AttemptBegan record;
  record.trial = trial;
  record.attempt = attempt;
  record.host = "n1";
  record.rank = 2;
  record.slots = {SlotId{3}};
  record.device = "cpu";
  record.versions = {{"trainer", "0.1"}};
  record.info = std::move(info);
  return record;
}

inline EpochDone epoch(TrialId trial, int number, protocol::Metrics metrics, int attempt = 1,
                       double wall_seconds = 0.5) {
  EpochDone record;
  record.epoch.trial = trial;
  record.epoch.attempt = attempt;
  record.epoch.epoch = number;
  record.epoch.metrics = std::move(metrics);
  record.epoch.wall_seconds = wall_seconds;
  record.epoch.state_hash = "state-" + std::to_string(attempt) + "-" + std::to_string(number);
  return record;
}

inline AttemptFinished finished(TrialId trial, int epochs, protocol::Metrics result = {},
                                int attempt = 1) {
  AttemptFinished record;
  record.finished.trial = trial;
  record.finished.attempt = attempt;
  record.finished.epochs = epochs;
  record.finished.result = std::move(result);
  return record;
}

inline AttemptFailed failed(TrialId trial, protocol::FailureKind kind, bool final,
                            int attempt = 1) {
  AttemptFailed record;
  record.trial = trial;
  record.attempt = attempt;
  record.kind = kind;
  record.message = "it broke";
  record.exit_code = 3;
  record.host = "n1";
  record.slot = SlotId{3};
  record.stderr_tail = "Traceback";
  record.final = final;
  return record;
}

// A query's rows, one text each: values with "|" between them, as the sqlite3 shell prints them.
inline std::vector<std::string> rows(const std::filesystem::path& file, const std::string& sql) {
  std::vector<std::string> lines;
  for (const auto& row : Reader(file).query(sql).rows) {
    std::string line;
    for (const Value& value : row) {
      if (&value != &row[0]) line += '|';
      if (const auto* integer = std::get_if<std::int64_t>(&value)) line += std::to_string(*integer);
      if (const auto* text = std::get_if<std::string>(&value)) line += *text;
      if (const auto* real = std::get_if<double>(&value)) {
        char buffer[40];
        std::snprintf(buffer, sizeof buffer, "%.6g", *real);
        line += buffer;
      }
      if (std::holds_alternative<std::monostate>(value)) line += "null";
    }
    lines.push_back(line);
  }
  return lines;
}

// The message of the StorageError that `action` throws; "" where it throws none.
template <class Action>
std::string storage_error(Action action) {
  try {
    action();
  } catch (const StorageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace windrow::storage
