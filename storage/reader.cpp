#include "storage/reader.h"

#include "storage/clock.h"
#include "storage/database.h"
#include "storage/file_name.h"
#include "storage/gang_epochs.h"
#include "storage/lock.h"
#include "storage/names.h"
#include "storage/reader_query.h"
#include "storage/reconcile.h"
#include "storage/schema.h"
#include "storage/study_rows.h"
#include "storage/views.h"

namespace windrow::storage {
namespace {

// Grid order, stage by stage: cell o.place, cells of no stage last.
constexpr const char* kPlaces =
    "LEFT JOIN (SELECT m.cell, min(g.position * 1000000000 + m.position) AS place "
    "FROM stage_cell m JOIN stage g ON g.id = m.stage GROUP BY m.cell) o ON o.cell = c.id ";
constexpr const char* kRunning =
    "SELECT s.name AS study, t.id AS trial, t.seed, coalesce((SELECT max(epoch) FROM epoch WHERE "
    "trial = t.id AND attempt = t.attempts), a.resumed_from_epoch, 0) AS epochs, a.host, a.device, "
    "coalesce((SELECT group_concat(name) FROM "
    "(SELECT g.name FROM stage_cell m JOIN stage g ON g.id = m.stage WHERE m.cell = c.id "
    "ORDER BY g.position)), '') AS stages, c.hash AS cell FROM trial t JOIN cell c ON c.id = "
    "t.cell "
    "JOIN study s ON s.id = c.study LEFT JOIN attempt a ON a.trial = t.id AND "
    "a.attempt = t.attempts WHERE t.state = 1 ORDER BY t.id";
constexpr const char* kFailures =
    "SELECT s.name AS study, f.kind, count(*) AS attempts, count(DISTINCT f.trial) AS trials, "
    "count(DISTINCT f.host) AS hosts, max(f.message) AS example FROM failure f "
    "JOIN trial t ON t.id = f.trial JOIN cell c ON c.id = t.cell JOIN study s ON s.id = c.study "
    "WHERE f.kind <> 'preempted' GROUP BY s.id, f.kind ORDER BY attempts DESC";

// Read-only; where only a writer may tidy up what a killed one left (a hot journal, a write-ahead
// log without its index), a writing connection that is told to write no data.
std::unique_ptr<Database> open_for_reading(const std::filesystem::path& file) {
  if (const std::string fault = file_name_fault(file.string()); !fault.empty())
    throw StorageError(fault);
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw StorageError(file.string() + ": is a folder; name a file with --db");
  if (!std::filesystem::exists(file, error))
    throw StorageError(file.string() +
                       ": there is no such file; name the database with --db, or begin one with "
                       "`windrow run STUDY.yaml`");
  std::string message;
  for (const auto mode : {Database::Mode::read_only, Database::Mode::existing}) {
    try {
      auto database = std::make_unique<Database>(file, mode);
      database->set_busy_timeout(std::chrono::seconds(10));
      database->execute("PRAGMA cache_size = -65536; PRAGMA query_only = ON");
      database->integer("SELECT count(*) FROM sqlite_schema");
      return database;
    } catch (const StorageError& e) {
      if (message.empty()) message = e.what();
    }
  }
  throw StorageError(message);
}

TrialState state_of(const Statement& statement, int column) {
  return static_cast<TrialState>(statement.integer(column));
}

void count(StateCounts& counts, TrialState state, std::int64_t number) {
  switch (state) {
    case TrialState::pending:
      counts.pending += number;
      break;
    case TrialState::running:
      counts.running += number;
      break;
    case TrialState::finished:
      counts.finished += number;
      break;
    case TrialState::failed:
      counts.failed += number;
      break;
  }
}

std::vector<MetricColumn> metric_columns(Database& database) {
  Names names(database);
  names.load();
  return name_columns(names.parameters(), names.metrics()).metrics;
}

}  // namespace

struct Reader::Impl {
  std::unique_ptr<Database> database;
};

Reader::Reader(const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>(Impl{open_for_reading(file)})) {
  const std::int64_t version = check_identity(*impl_->database);
  if (version == 0)
    throw StorageError(file.string() +
                       ": is empty; name another database with --db, or begin one with `windrow "
                       "run STUDY.yaml`");
  // An older file has the views of its time, which say what it holds; a run brings it up to date.
  add_missing_views(*impl_->database);
}

Reader::~Reader() = default;

std::vector<StudyInfo> Reader::studies() {
  std::vector<StudyInfo> studies;
  Statement select(*impl_->database, "SELECT name, text, hash, recorded_at FROM study ORDER BY id");
  while (select.step())
    studies.push_back({std::string(select.text(0)), std::string(select.text(1)),
                       std::string(select.text(2)), iso_time(select.integer(3))});
  return studies;
}

std::optional<StudyInfo> Reader::study(const std::string& name) {
  for (auto& study : studies())
    if (study.name == name) return std::move(study);
  return std::nullopt;
}

std::optional<CoordinatorInfo> Reader::coordinator() {
  const auto holder = read_lock_holder(*impl_->database);
  if (!holder) return std::nullopt;
  const bool here = holder->process.host == this_process().host;
  const bool alive = !here || is_alive(holder->process);
  // It came with a copy of what that process writes.
  if (here && alive && !may_have_open(holder->process, impl_->database->file()))
    return std::nullopt;
  CoordinatorInfo info;
  info.host = holder->process.host;
  info.pid = holder->process.pid;
  info.since = iso_time(holder->since);
  info.heartbeat_seconds = static_cast<double>(now_ms() - holder->heartbeat) / 1000;
  info.alive = alive;
  return info;
}

std::vector<CellRecord> Reader::cells(const std::string& study) {
  Statement select(*impl_->database, "SELECT id FROM study WHERE name = ?1");
  return select.row(study) ? stored_cells(*impl_->database, select.integer(0))
                           : std::vector<CellRecord>{};
}

std::vector<TrialInfo> Reader::trials(const std::string& study) {
  std::vector<TrialInfo> trials;
  const auto gangs = gang_epoch_seconds(*impl_->database, study);
  Statement select(
      *impl_->database,
      std::string("SELECT t.id, c.hash, t.seed, t.state, t.attempts, "
                  "CASE t.state WHEN 2 THEN t.epochs ELSE e.last END, "
                  "CASE t.state WHEN 2 THEN t.wall_seconds / nullif(t.epochs, 0) ELSE e.mean END, "
                  "CASE t.state WHEN 2 THEN t.wall_seconds ELSE e.total END, t.failure "
                  "FROM study s JOIN cell c ON c.study = s.id JOIN trial t ON t.cell = c.id "
                  "LEFT JOIN (SELECT trial, max(epoch) AS last, avg(wall_seconds) AS mean, "
                  "sum(wall_seconds) AS total FROM epoch WHERE trial IN "
                  "(SELECT id FROM trial WHERE state <> 2) GROUP BY trial) e ON e.trial = t.id ") +
          kPlaces + "WHERE s.name = ?1 ORDER BY o.place IS NULL, o.place, t.seed, t.id");
  select.bind(study);
  while (select.step()) {
    TrialInfo trial;
    trial.trial = select.integer(0);
    trial.cell = select.text(1);
    trial.seed = select.integer(2);
    trial.state = state_of(select, 3);
    trial.attempts = static_cast<int>(select.integer(4));
    trial.epochs = static_cast<int>(select.integer(5));
    trial.mean_epoch_seconds = select.real(6);
    trial.wall_seconds = select.real(7);
    if (const auto found = gangs.find(trial.trial); found != gangs.end()) {
      trial.mean_epoch_seconds = found->second.alone;
      trial.gang_epoch_seconds = found->second.together;
    }
    if (!select.is_null(8)) trial.failure = protocol::failure_kind(select.text(8));
    trials.push_back(std::move(trial));
  }
  return trials;
}

CellMeans Reader::cell_metrics(const std::string& study, const std::vector<std::int64_t>& seeds) {
  return storage::cell_metrics(*impl_->database, study, seeds);
}

std::vector<StateCounts> Reader::counts_by_stage(const std::string& study) {
  std::vector<StateCounts> counts;
  Statement select(*impl_->database,
                   "SELECT coalesce(g.name, ''), t.state, count(*) FROM study s "
                   "JOIN cell c ON c.study = s.id JOIN trial t ON t.cell = c.id "
                   "LEFT JOIN stage_cell m ON m.cell = c.id LEFT JOIN stage g ON g.id = m.stage "
                   "WHERE s.name = ?1 GROUP BY g.id, t.state ORDER BY g.id IS NULL, g.position");
  select.bind(study);
  while (select.step()) {
    if (counts.empty() || counts.back().stage != select.text(0))
      counts.push_back({.stage = std::string(select.text(0))});
    count(counts.back(), state_of(select, 1), select.integer(2));
  }
  return counts;
}

StateCounts Reader::counts(const std::string& study) {
  StateCounts counts;
  Statement select(*impl_->database,
                   "SELECT t.state, count(*) FROM study s JOIN cell c ON c.study = s.id "
                   "JOIN trial t ON t.cell = c.id WHERE s.name = ?1 GROUP BY t.state");
  select.bind(study);
  while (select.step()) count(counts, state_of(select, 0), select.integer(1));
  return counts;
}

ResultTable Reader::running() {
  Statement select(*impl_->database, kRunning);
  return fetch(select);
}

ResultTable Reader::failures() {
  Statement select(*impl_->database, kFailures);
  return fetch(select);
}

TrialDetails Reader::show(std::int64_t trial, int last_epochs) {
  Database& db = *impl_->database;
  const ResultTable found = trial_row(db, trial);
  if (found.rows.empty())
    throw StorageError(db.file().string() + ": there is no trial " + std::to_string(trial) +
                       "; `windrow query \"SELECT trial, cell, seed FROM trials\"` lists them");
  TrialDetails details;
  for (std::size_t i = 0; i < found.columns.size(); ++i)
    details.trial.emplace_back(found.columns[i], found.rows[0][i]);
  Statement parameters(
      db, "SELECT c.parameters FROM trial t JOIN cell c ON c.id = t.cell WHERE t.id = ?1");
  if (parameters.row(trial)) details.parameters = parameters.text(0);
  Statement attempts(db, "SELECT * FROM attempts WHERE trial = ?1 ORDER BY attempt");
  details.attempts = fetch(attempts.bind(trial));
  if (db.integer("PRAGMA user_version") >= 5) {
    const auto of_attempts = [&](const std::string& view, const std::string& key) {
      Statement select(db, "SELECT * FROM " + view + " WHERE " + key + " IN (SELECT " + key +
                               " FROM attempts WHERE trial = ?1)");
      return fetch(select.bind(trial));
    };
    details.programs = of_attempts("programs", "program");
    details.sources = of_attempts("sources", "source");
    details.environments = of_attempts("environments", "environment");
  }
  Statement failures(db, "SELECT * FROM failures WHERE trial = ?1 ORDER BY attempt");
  details.failures = fetch(failures.bind(trial));
  details.epochs = epoch_rows(db, trial, last_epochs);
  Statement artefacts(db, "SELECT name, content FROM artefact WHERE trial = ?1 ORDER BY name");
  artefacts.bind(trial);
  while (artefacts.step()) details.artefacts.emplace_back(artefacts.text(0), artefacts.text(1));
  return details;
}

namespace {

// From version 4 on sessions have these columns; those of runs have a folder of checkpoints, those
// of commands that changed something have none.
std::string of_session(Database& database, const std::string& sql, std::int64_t trial) {
  if (database.integer("PRAGMA user_version") < 4) return "";
  Statement select(database, sql);
  return select.row(trial) && !select.is_null(0) ? std::string(select.text(0)) : "";
}

}  // namespace

std::string Reader::checkpoints_of(std::int64_t trial) {
  return of_session(*impl_->database,
                    "SELECT checkpoints FROM session s WHERE checkpoints IS NOT NULL ORDER BY "
                    "id = (SELECT max(session) FROM attempt WHERE trial = ?1) DESC, id DESC "
                    "LIMIT 1",
                    trial);
}

std::string Reader::stopped_by() {
  return of_session(*impl_->database,
                    "SELECT stopped_by FROM session WHERE checkpoints IS NOT NULL AND ?1 = 0 "
                    "ORDER BY id DESC LIMIT 1",
                    0);
}

std::vector<ProgramInfo> Reader::programs() {
  std::vector<ProgramInfo> programs;
  if (impl_->database->integer("PRAGMA user_version") < 5) return programs;
  Statement select(*impl_->database,
                   "SELECT hash, command, files, recorded_at FROM program ORDER BY recorded_at");
  while (select.step())
    programs.push_back(
        {std::string(select.text(0)),
         protocol::Json::parse(select.text(1)).get<std::vector<std::string>>(),
         protocol::Json::parse(select.text(2)).get<std::map<std::string, std::string>>(),
         iso_time(select.integer(3))});
  return programs;
}

std::vector<TrialProgram> Reader::trial_programs(const std::string& study) {
  std::vector<TrialProgram> programs;
  if (impl_->database->integer("PRAGMA user_version") < 5) return programs;
  Statement select(
      *impl_->database,
      "SELECT t.id, c.hash, t.state, a.program FROM study s JOIN cell c ON c.study = s.id "
      "JOIN trial t ON t.cell = c.id JOIN attempt a ON a.trial = t.id "
      "WHERE s.name = ?1 AND a.program IS NOT NULL AND a.taken_back IS NULL "
      "AND (a.outcome = 'finished' OR EXISTS (SELECT 1 FROM epoch e WHERE e.trial = t.id "
      "AND e.attempt = a.attempt)) ORDER BY t.id, a.attempt");
  select.bind(study);
  while (select.step())
    programs.push_back({select.integer(0), std::string(select.text(1)),
                        static_cast<TrialState>(select.integer(2)) == TrialState::finished,
                        std::string(select.text(3))});
  return programs;
}

StudyTables Reader::tables(const std::string& study, const std::string& stage) {
  return study_tables(*impl_->database, study, stage);
}

std::vector<std::string> Reader::epoch_metrics() {
  std::vector<std::string> columns;
  for (const MetricColumn& metric : metric_columns(*impl_->database))
    if (metric.metric.of_epochs) columns.push_back(metric.column);
  return columns;
}

void Reader::each_epoch_value(
    const std::string& study, const std::string& metric,
    const std::function<void(std::int64_t trial, int epoch, double value)>& use) {
  Statement select(*impl_->database,
                   "SELECT e.trial, e.epoch, m.value FROM study s JOIN cell c ON c.study = s.id "
                   "JOIN trial t ON t.cell = c.id JOIN epoch e ON e.trial = t.id "
                   "JOIN epoch_metric m ON m.epoch_id = e.id AND m.metric = ?2 "
                   "WHERE s.name = ?1 AND m.value IS NOT NULL ORDER BY e.trial, e.epoch");
  for (const MetricColumn& column : metric_columns(*impl_->database)) {
    if (column.column != metric) continue;
    select.bind(study, column.metric.id);
    while (select.step())
      use(select.integer(0), static_cast<int>(select.integer(1)), select.real(2));
  }
}

ResultTable Reader::query(const std::string& sql) {
  return run_user_query(*impl_->database, sql);
}

}  // namespace windrow::storage
