#include "storage/schema.h"

#include <array>
#include <string>
#include <utility>

namespace windrow::storage {
namespace {

// Times are milliseconds since 1970 UTC. WITHOUT ROWID where the key is how rows are found: one
// B-tree instead of two.
constexpr const char* kVersion1 = R"sql(
-- The coordinator that writes now; no row: none.
CREATE TABLE coordinator (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  host TEXT NOT NULL, pid INTEGER NOT NULL,
  process TEXT NOT NULL,               -- boot and start time: tells a reused pid
  since INTEGER NOT NULL, heartbeat INTEGER NOT NULL);
-- One run of a coordinator; slots are numbered anew in each.
CREATE TABLE session (
  id INTEGER PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL,
  began_at INTEGER NOT NULL);
CREATE TABLE study (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, text TEXT NOT NULL, hash TEXT NOT NULL,
  recorded_at INTEGER NOT NULL);
CREATE TABLE study_history (           -- earlier texts of an edited study
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study, text TEXT NOT NULL,
  hash TEXT NOT NULL, recorded_at INTEGER NOT NULL);
CREATE TABLE stage (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study, name TEXT NOT NULL,
  position INTEGER NOT NULL, UNIQUE (study, name));
CREATE TABLE cell (
  id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study, hash TEXT NOT NULL,
  parameters TEXT NOT NULL,            -- canonical JSON, complete
  UNIQUE (study, hash));
CREATE TABLE stage_cell (
  cell INTEGER NOT NULL REFERENCES cell, stage INTEGER NOT NULL REFERENCES stage,
  position INTEGER NOT NULL,           -- the cell's place in the stage's grid order
  PRIMARY KEY (cell, stage)) WITHOUT ROWID;
CREATE TABLE trial (
  id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell, seed INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,    -- trial_state.h
  attempts INTEGER NOT NULL DEFAULT 0, -- the highest attempt number used
  epochs INTEGER, wall_seconds REAL,   -- of a finished trial
  failure TEXT,                        -- of a failed trial
  UNIQUE (cell, seed));
CREATE TABLE attempt (
  trial INTEGER NOT NULL REFERENCES trial, attempt INTEGER NOT NULL, session INTEGER NOT NULL,
  host TEXT NOT NULL, rank INTEGER NOT NULL, slots TEXT NOT NULL, gang INTEGER NOT NULL,
  device TEXT, versions TEXT, info TEXT,
  began_at INTEGER,                    -- NULL: failed before it began
  ended_at INTEGER,
  outcome TEXT NOT NULL,               -- running, finished, lost, or the kind of failure
  resumed_from_epoch INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (trial, attempt)) WITHOUT ROWID;
-- Rows are appended in the order of their arrival, and their metrics likewise: keyed by trial, each
-- commit would rewrite a page or two of every trial that runs.
CREATE TABLE epoch (
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial, epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL, wall_seconds REAL NOT NULL, state_hash TEXT, checkpoint TEXT,
  checkpoint_hash TEXT, committed_at INTEGER NOT NULL, UNIQUE (trial, epoch));
CREATE TABLE metric (                  -- names, interned
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  of_epochs INTEGER NOT NULL DEFAULT 0);
CREATE TABLE parameter (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE epoch_metric (
  epoch_id INTEGER NOT NULL, metric INTEGER NOT NULL,
  value REAL,                          -- NULL: NaN
  PRIMARY KEY (epoch_id, metric)) WITHOUT ROWID;
CREATE TABLE trial_metric (            -- facts of the trial, and its result once it is finished
  trial INTEGER NOT NULL, metric INTEGER NOT NULL, value,
  PRIMARY KEY (trial, metric)) WITHOUT ROWID;
CREATE TABLE artefact (
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial, attempt INTEGER NOT NULL,
  name TEXT NOT NULL, content TEXT NOT NULL, UNIQUE (trial, name));
CREATE TABLE failure (
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial, attempt INTEGER NOT NULL,
  kind TEXT NOT NULL, message TEXT NOT NULL, exit_code INTEGER, signal INTEGER,
  host TEXT NOT NULL, rank INTEGER NOT NULL, slot INTEGER, stderr_tail TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  forgiven INTEGER NOT NULL DEFAULT 0, -- by `windrow retry`: no longer counted against a budget
  UNIQUE (trial, attempt));
CREATE TABLE event (                   -- audit trail
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
  text TEXT NOT NULL);
CREATE TABLE slot (
  session INTEGER NOT NULL, slot INTEGER NOT NULL, host TEXT NOT NULL, rank INTEGER NOT NULL,
  device TEXT NOT NULL, threads INTEGER NOT NULL, PRIMARY KEY (session, slot)) WITHOUT ROWID;
-- 0.975 quantiles of Student's t, for the summary view's 95 % half-widths.
CREATE TABLE student_t (df INTEGER PRIMARY KEY, t975 REAL NOT NULL);
)sql";

// Between two entries the smaller number of degrees of freedom is used, which errs towards a
// (slightly, below 0.5 %) wider interval.
constexpr auto kStudentT = std::to_array<std::pair<int, double>>(
    {{1, 12.706205},   {2, 4.302653},   {3, 3.182446},   {4, 2.776445},   {5, 2.570582},
     {6, 2.446912},    {7, 2.364624},   {8, 2.306004},   {9, 2.262157},   {10, 2.228139},
     {11, 2.200985},   {12, 2.178813},  {13, 2.160369},  {14, 2.144787},  {15, 2.131450},
     {16, 2.119905},   {17, 2.109816},  {18, 2.100922},  {19, 2.093024},  {20, 2.085963},
     {21, 2.079614},   {22, 2.073873},  {23, 2.068658},  {24, 2.063899},  {25, 2.059539},
     {26, 2.055529},   {27, 2.051831},  {28, 2.048407},  {29, 2.045230},  {30, 2.042272},
     {35, 2.030108},   {40, 2.021075},  {45, 2.014103},  {50, 2.008559},  {60, 2.000298},
     {70, 1.994437},   {80, 1.990063},  {90, 1.986675},  {100, 1.983972}, {120, 1.979930},
     {150, 1.975905},  {200, 1.971896}, {300, 1.967903}, {500, 1.964720}, {1000, 1.962339},
     {10000, 1.960201}});

void to_version_1(Database& database) {
  database.execute(kVersion1);
  Statement insert(database, "INSERT INTO student_t (df, t975) VALUES (?1, ?2)");
  for (const auto& [df, t975] : kStudentT) insert.run(df, t975);
}

// The file's own name for itself, which folders of checkpoints bear: trials are numbered in each
// file alike. And what trainers printed that could not be read.
void to_version_2(Database& database) {
  database.execute(R"sql(
CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), database_id TEXT NOT NULL);
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))));
ALTER TABLE attempt ADD COLUMN unread_lines INTEGER NOT NULL DEFAULT 0;
)sql");
}

// How many slots trained an epoch together, which are few; what computed, and in what precision.
void to_version_3(Database& database) {
  database.execute(R"sql(
ALTER TABLE epoch ADD COLUMN members INTEGER NOT NULL DEFAULT 1;
CREATE INDEX gang_epoch ON epoch (trial) WHERE members > 1;
ALTER TABLE attempt ADD COLUMN device_kind TEXT;
ALTER TABLE attempt ADD COLUMN precision TEXT;
)sql");
}

// The batch job that a slot was of, where checkpoints and logs lie, and who stopped a run for good.
void to_version_4(Database& database) {
  database.execute(R"sql(
ALTER TABLE slot ADD COLUMN node TEXT;
ALTER TABLE slot ADD COLUMN job TEXT;
ALTER TABLE slot ADD COLUMN job_restarts INTEGER;
ALTER TABLE slot ADD COLUMN job_ends_at INTEGER;
ALTER TABLE session ADD COLUMN checkpoints TEXT;
ALTER TABLE session ADD COLUMN stopped_by TEXT;
)sql");
}

// What made each number: the program, its version-controlled code, and what was around it.
void to_version_5(Database& database) {
  database.execute(R"sql(
CREATE TABLE program (
  hash TEXT PRIMARY KEY, command TEXT NOT NULL, files TEXT NOT NULL, recorded_at INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE source (
  id INTEGER PRIMARY KEY, git_commit TEXT, dirty INTEGER NOT NULL, diff TEXT NOT NULL,
  recorded_at INTEGER NOT NULL, UNIQUE (git_commit, diff));
CREATE TABLE environment (id INTEGER PRIMARY KEY, facts TEXT NOT NULL UNIQUE);
ALTER TABLE attempt ADD COLUMN program TEXT;
ALTER TABLE attempt ADD COLUMN source INTEGER;
ALTER TABLE attempt ADD COLUMN taken_back TEXT;  -- its result, of a trial that is trained anew
ALTER TABLE slot ADD COLUMN environment INTEGER;
ALTER TABLE trial ADD COLUMN redone INTEGER NOT NULL DEFAULT 0;
)sql");
}

// What attempts took of their machines.
void to_version_6(Database& database) {
  database.execute(R"sql(
ALTER TABLE attempt ADD COLUMN cpu_seconds REAL;
ALTER TABLE attempt ADD COLUMN peak_memory INTEGER;         -- bytes
ALTER TABLE attempt ADD COLUMN peak_device_memory INTEGER;  -- likewise
)sql");
}

}  // namespace

std::span<const Migration> migrations() {
  static const std::array<Migration, 6> steps = {to_version_1, to_version_2, to_version_3,
                                                 to_version_4, to_version_5, to_version_6};
  return steps;
}

std::int64_t check_identity(Database& database, std::int64_t known) {
  // The first statement that reads the file: a file that is no database is told here.
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t application = database.integer("PRAGMA application_id");
  const bool empty = database.integer("SELECT count(*) FROM sqlite_schema") == 0;
  const std::string file = database.file().string();
  if (application != kApplicationId && !(empty && application == 0 && version == 0))
    throw StorageError(file +
                       ": is an SQLite database, but not one of Windrow; give another file with "
                       "--db, or move this one away");
  if (version > known)
    throw StorageError(file + ": has schema version " + std::to_string(version) +
                       ", and this windrow knows versions up to " + std::to_string(known) +
                       "; use the newer windrow that wrote it, or give another file with --db");
  return version;
}

void migrate(Database& database, std::span<const Migration> steps) {
  const auto known = static_cast<std::int64_t>(steps.size());
  std::int64_t version = check_identity(database, known);
  if (version == known) return;
  for (; version < known; ++version) steps[static_cast<std::size_t>(version)](database);
  database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  database.execute("PRAGMA user_version = " + std::to_string(known));
}

}  // namespace windrow::storage
