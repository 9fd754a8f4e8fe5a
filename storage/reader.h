// The readers' side of the database. Works while a coordinator writes, takes no lock of windrow's
// and makes no file. Values only, no SQLite.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/failure.h"
#include "storage/cell_means.h"
#include "storage/error.h"
#include "storage/records.h"
#include "storage/result_table.h"
#include "storage/trial_state.h"

namespace windrow::storage {

struct StudyInfo {
  std::string name;
  std::string text;  // effective YAML
  std::string hash;
  std::string recorded_at;  // when this text came into the database; UTC, ISO 8601
};

struct TrialInfo {
  std::int64_t trial = 0;
  std::string cell;  // hash
  std::int64_t seed = 0;
  TrialState state = TrialState::pending;
  std::optional<protocol::FailureKind> failure;  // of a failed trial
  int attempts = 0;
  int epochs = 0;                 // committed
  double mean_epoch_seconds = 0;  // over its committed epochs that one slot trained; 0 = none yet
  // Likewise of those that several slots trained together, by their number.
  std::map<int, double> gang_epoch_seconds = {};
  double wall_seconds = 0;  // of its committed epochs, or of the attempt of a finished trial
                            // without epochs
};

struct StateCounts {
  std::string stage;  // "" in the line of cells that are in no stage any more
  std::int64_t pending = 0, running = 0, finished = 0, failed = 0;
  std::int64_t total() const { return pending + running + finished + failed; }
};

struct CoordinatorInfo {  // who writes the file now, or was killed while it did
  std::string host;
  std::int64_t pid = 0;
  std::string since;             // UTC, ISO 8601
  double heartbeat_seconds = 0;  // age of its last heartbeat by this host's clock
  bool alive = true;             // false: a process of this host that is gone
};

// What a trainer's command was made of, as recorded with the attempts that it made.
struct ProgramInfo {
  std::string hash;
  std::vector<std::string> command;
  std::map<std::string, std::string> files;  // of its own, by name: the hash of the content
  std::string recorded_at;                   // first; UTC, ISO 8601
};

// A program that made epochs, or the result, that a trial has.
struct TrialProgram {
  std::int64_t trial = 0;
  std::string cell;  // hash
  bool finished = false;
  std::string program;  // ProgramInfo::hash
};

// All about one trial; the tables have the columns of the views of their names.
struct TrialDetails {
  std::vector<std::pair<std::string, Value>> trial;  // its row of `trials`
  std::string parameters;                            // canonical JSON
  ResultTable attempts;
  ResultTable programs, sources, environments;  // of these attempts; empty: none is on record
  ResultTable failures;
  ResultTable epochs;                                          // the last ones, in order
  std::vector<std::pair<std::string, std::string>> artefacts;  // name, JSON
};

class Reader {
 public:
  // Throws StorageError: no such file (the remedy names --db), not a Windrow database, of another
  // schema version.
  explicit Reader(const std::filesystem::path& file);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::vector<StudyInfo> studies();  // in the order in which they came
  std::optional<StudyInfo> study(const std::string& name);
  std::optional<CoordinatorInfo> coordinator();

  // Hash and parameters of all cells of a study, also of those that it has no longer.
  std::vector<CellRecord> cells(const std::string& study);
  // The trials of a study, in grid order and then by seed; cells of no stage come last.
  std::vector<TrialInfo> trials(const std::string& study);
  // Mean of each metric (result, else last epoch) over the finished trials of each cell, of
  // these seeds.
  CellMeans cell_metrics(const std::string& study, const std::vector<std::int64_t>& seeds);
  // A line a stage, in the study's order; trials of a cell that two stages share are counted in
  // both.
  std::vector<StateCounts> counts_by_stage(const std::string& study);
  // Over the whole study, each trial once.
  StateCounts counts(const std::string& study);

  // study, trial, seed, epochs, host, device, stages, cell of each trial that runs.
  ResultTable running();
  // study, kind, attempts, trials, hosts, example: what failed and how often, pre-emptions left
  // out.
  ResultTable failures();

  // Throws StorageError where there is no such trial.
  // last_epochs: how many of its epochs; 0 = all.
  TrialDetails show(std::int64_t trial, int last_epochs = 10);

  // Where the run that last worked on the trial keeps checkpoints and logs, and who ended the last
  // run by `windrow stop`; "" = not known, nobody.
  std::string checkpoints_of(std::int64_t trial);
  std::string stopped_by();

  // All that are on record, and those of each trial of a study, in the order of its attempts;
  // trials that an older windrow made have none.
  std::vector<ProgramInfo> programs();
  std::vector<TrialProgram> trial_programs(const std::string& study);

  // Rows of `trials` and `summary` of a study, or of one of its stages, in grid order. Columns
  // that are null in every row (another study's parameters) are left out.
  StudyTables tables(const std::string& study, const std::string& stage = "");

  // Metrics that epochs report, as columns of the view `epochs`, in the order in which they came.
  std::vector<std::string> epoch_metrics();
  // Calls `use` for each number that committed epochs of the study's trials have in this column,
  // by trial and then by epoch. One that no epoch has is none of its numbers.
  void each_epoch_value(
      const std::string& study, const std::string& metric,
      const std::function<void(std::int64_t trial, int epoch, double value)>& use);

  // One SELECT (or WITH, EXPLAIN, or a reading PRAGMA). Throws StorageError with SQLite's message
  // on a wrong statement, and on one that would write.
  ResultTable query(const std::string& sql);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow::storage
