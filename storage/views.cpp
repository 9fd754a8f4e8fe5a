#include "storage/views.h"

#include <algorithm>
#include <string_view>

#include "storage/schema.h"

namespace windrow::storage {
namespace {

// SQLite's limit is 2000 columns, and a metric has four in `summary`.
constexpr std::size_t kMostMetricColumns = 375;
constexpr std::size_t kMostParameterColumns = 400;

// "2026-01-01T10:00:00.123Z" of milliseconds since 1970 UTC; NULL stays NULL.
std::string iso_time(const std::string& milliseconds) {
  return "strftime('%Y-%m-%dT%H:%M:%fZ', " + milliseconds + " / 1000.0, 'unixepoch')";
}

// The stages of cell c, in the study's order, with commas.
constexpr const char* kStages =
    "coalesce((SELECT group_concat(name) FROM (SELECT g.name FROM stage_cell m "
    "JOIN stage g ON g.id = m.stage WHERE m.cell = c.id ORDER BY g.position)), '')";

std::string as(const std::string& expression, const std::string& column) {
  return expression + " AS " + quote_identifier(column);
}

// Parameter `name` of cell c: a text, a number, 0 or 1, NULL, or the JSON of a list or object.
std::string parameter_value(const std::string& name) {
  // SQLite's JSON paths know no escapes: names that need one go the slower, general way.
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
  });
  if (plain) return "json_extract(c.parameters, " + quote_text("$.\"" + name + "\"") + ")";
  return "(SELECT value FROM json_each(c.parameters) WHERE key = " + quote_text(name) + ")";
}

// A metric of trial t: of its result once finished, else of its last epoch, else a fact.
std::string trial_metric(const MetricName& metric) {
  const std::string id = std::to_string(metric.id);
  const std::string of_trial =
      "(SELECT value FROM trial_metric WHERE trial = t.id AND metric = " + id + ")";
  if (!metric.of_epochs) return of_trial;
  return "CASE t.state WHEN 2 THEN " + of_trial +
         " ELSE coalesce((SELECT value FROM epoch_metric WHERE metric = " + id +
         " AND epoch_id = (SELECT id FROM epoch WHERE trial = t.id ORDER BY epoch DESC LIMIT "
         "1)), " +
         of_trial + ") END";
}

std::string trials(const Columns& columns) {
  std::string sql =
      "CREATE VIEW trials AS SELECT t.id AS trial, s.name AS study, " + as(kStages, "stages") +
      ", c.hash AS cell, t.seed AS seed, CASE t.state WHEN 0 THEN 'pending' WHEN 1 THEN 'running' "
      "WHEN 2 THEN 'finished' ELSE 'failed' END AS state, t.attempts AS attempts, "
      "CASE t.state WHEN 2 THEN t.epochs ELSE coalesce((SELECT max(epoch) FROM epoch "
      "WHERE trial = t.id), 0) END AS epochs";
  for (const auto& p : columns.parameters) sql += ", " + as(parameter_value(p.name), p.column);
  for (const auto& m : columns.metrics) sql += ", " + as(trial_metric(m.metric), m.column);
  return sql +
         ", CASE t.state WHEN 2 THEN t.wall_seconds ELSE coalesce((SELECT sum(wall_seconds) "
         "FROM epoch WHERE trial = t.id), (a.ended_at - a.began_at) / 1000.0) END AS wall_seconds, "
         "t.failure AS failure, a.host AS host, a.device AS device "
         "FROM trial t JOIN cell c ON c.id = t.cell JOIN study s ON s.id = c.study "
         "LEFT JOIN attempt a ON a.trial = t.id AND a.attempt = t.attempts";
}

std::string epochs(const Columns& columns) {
  std::string sql =
      "CREATE VIEW epochs AS SELECT e.trial AS trial, e.epoch AS epoch, e.attempt AS attempt, "
      "e.members AS members, e.wall_seconds AS wall_seconds, e.state_hash AS state_hash, " +
      iso_time("e.committed_at") + " AS committed_at";
  for (const auto& m : columns.metrics) {
    if (!m.metric.of_epochs) continue;
    const std::string id = std::to_string(m.metric.id);
    sql +=
        ", " + as("(SELECT value FROM epoch_metric WHERE epoch_id = e.id AND metric = " + id + ")",
                  m.column);
  }
  return sql + " FROM epoch e";
}

// The threads are those of its slots together, which are numbered anew in each session. The batch
// job is its first slot's. Most have one slot, which is found by its number: a session may have
// thousands.
std::string attempts() {
  const auto of_slot = [](const std::string& column) {
    return "(SELECT " + column +
           " FROM slot WHERE session = attempt.session AND slot = CAST(attempt.slots AS INTEGER))";
  };
  return "CREATE VIEW attempts AS SELECT trial, attempt, host, rank, slots, gang, "
         "CASE instr(attempt.slots, ',') WHEN 0 THEN " +
         of_slot("threads") +
         " ELSE (SELECT sum(threads) FROM slot WHERE session = attempt.session AND instr(',' || "
         "attempt.slots || ',', ',' || slot || ',') > 0) END AS threads, device, device_kind, "
         "precision, versions, info, " +
         iso_time("began_at") + " AS began_at, " + iso_time("ended_at") +
         " AS ended_at, outcome, resumed_from_epoch, unread_lines, " + as(of_slot("node"), "node") +
         ", " + as(of_slot("job"), "job") + ", " + as(of_slot("job_restarts"), "job_restarts") +
         ", " + as(of_slot(iso_time("job_ends_at")), "job_ends_at") +
         ", cpu_seconds, peak_memory, peak_device_memory, program, source, taken_back, " +
         as(of_slot("environment"), "environment") + " FROM attempt";
}

std::string programs() {
  return "CREATE VIEW programs AS SELECT hash AS program, command, files, " +
         iso_time("recorded_at") + " AS recorded_at FROM program";
}

std::string environments() {
  return "CREATE VIEW environments AS SELECT id AS environment, facts FROM environment";
}

std::string sources() {
  return "CREATE VIEW sources AS SELECT id AS source, git_commit, dirty AS git_dirty, "
         "diff AS git_diff, " +
         iso_time("recorded_at") + " AS recorded_at FROM source";
}

std::string failures() {
  return "CREATE VIEW failures AS SELECT trial, attempt, kind, message, exit_code, signal, host, "
         "slot, stderr_tail FROM failure";
}

std::string artefacts() {
  return "CREATE VIEW artefacts AS SELECT trial, name, content FROM artefact";
}

// The rows of confusion matrices: {"classes": [name...], "counts": [[...]...]}, a row for each true
// class. json_each() refuses what is no JSON, so a trainer's artefact that has the name but not the
// form must not reach it; a class without a name is known by its number, from 0.
constexpr const char* kMatrixRows =
    "(SELECT trial, key AS number, value AS row, content, "
    "coalesce(json_extract(content, '$.classes[' || key || ']'), key) AS class "
    "FROM artefact, json_each(CASE json_type(content, '$.counts') WHEN 'array' "
    "THEN json_extract(content, '$.counts') ELSE '[]' END) "
    "WHERE name = 'confusion' AND type = 'array') r";

std::string confusion() {
  return std::string(
             "CREATE VIEW confusion AS SELECT r.trial AS trial, r.class AS actual, "
             "coalesce(json_extract(r.content, '$.classes[' || c.key || ']'), c.key) AS predicted, "
             "c.value AS images FROM ") +
         kMatrixRows + ", json_each(r.row) c";
}

std::string class_accuracy() {
  return std::string(
             "CREATE VIEW class_accuracy AS SELECT trial, class, images, "
             "1.0 * json_extract(row, '$[' || number || ']') / nullif(images, 0) AS accuracy "
             "FROM (SELECT r.trial AS trial, r.class AS class, r.row AS row, r.number AS number, "
             "(SELECT sum(value) FROM json_each(r.row)) AS images FROM ") +
         kMatrixRows + ")";
}

// Two passes, the mean first: the one-pass sum of squares loses the digits that matter where the
// seeds lie close together. Epochs and wall_seconds take part under ids that no metric has.
std::string summary(const Columns& columns) {
  std::string pivot, picked;
  const auto add = [&](std::int64_t id, const std::string& mean, const std::string& sd,
                       const std::string& ci95, const std::string& n) {
    const auto one = [&](const char* statistic, const std::string& column) {
      const std::string name = quote_identifier(column);
      pivot += ", max(CASE metric WHEN " + std::to_string(id) + " THEN " + statistic + " END) AS " +
               name;
      picked += ", p." + name + " AS " + name;
    };
    one("mean", mean);
    one("sd", sd);
    one("ci95", ci95);
    if (!n.empty()) one("n", n);
  };
  for (const auto& m : columns.metrics) add(m.metric.id, m.mean, m.sd, m.ci95, m.n);
  // Each finished trial has these.
  add(-1, "epochs_mean", "epochs_sd", "epochs_ci95", "");
  add(-2, "wall_seconds_mean", "wall_seconds_sd", "wall_seconds_ci95", "");

  std::string sql =
      "CREATE VIEW summary AS WITH "
      "observation (cell, metric, value) AS ("
      "SELECT t.cell, r.metric, r.value FROM trial t JOIN trial_metric r ON r.trial = t.id "
      "WHERE t.state = 2 AND r.value IS NOT NULL "
      "UNION ALL SELECT cell, -1, epochs FROM trial WHERE state = 2 "
      "UNION ALL SELECT cell, -2, wall_seconds FROM trial WHERE state = 2), "
      "centred (cell, metric, value, mean, n) AS (SELECT cell, metric, value, "
      "avg(value) OVER (PARTITION BY cell, metric), count(value) OVER (PARTITION BY cell, metric) "
      "FROM observation), "
      "spread (cell, metric, mean, n, sd) AS (SELECT cell, metric, max(mean), max(n), "
      "sqrt(sum((value - mean) * (value - mean)) / nullif(max(n) - 1, 0)) FROM centred "
      "GROUP BY cell, metric), "
      "statistics (cell, metric, n, mean, sd, ci95) AS (SELECT cell, metric, n, mean, sd, "
      "sd / sqrt(n) * (SELECT t975 FROM student_t WHERE df <= n - 1 ORDER BY df DESC LIMIT 1) "
      "FROM spread), pivot AS (SELECT cell" +
      pivot + " FROM statistics GROUP BY cell) SELECT s.name AS study, " + as(kStages, "stages") +
      ", c.hash AS cell";
  for (const auto& p : columns.parameters) sql += ", " + as(parameter_value(p.name), p.column);
  return sql + ", (SELECT count(*) FROM trial WHERE cell = c.id AND state = 2) AS n" + picked +
         " FROM cell c JOIN study s ON s.id = c.study LEFT JOIN pivot p ON p.cell = c.id";
}

// All metrics, a row a value; as `trials` has them: of what is not finished, the last epoch's stand
// before facts.
std::string trial_metrics() {
  const std::string last = "(SELECT id FROM epoch WHERE trial = t.id ORDER BY epoch DESC LIMIT 1)";
  return "CREATE VIEW trial_metrics AS SELECT t.id AS trial, m.name AS metric, r.value AS value "
         "FROM trial t JOIN trial_metric r ON r.trial = t.id JOIN metric m ON m.id = r.metric "
         "WHERE t.state = 2 OR NOT EXISTS (SELECT 1 FROM epoch_metric x WHERE x.metric = r.metric "
         "AND x.epoch_id = " +
         last +
         ") UNION ALL SELECT t.id, m.name, x.value FROM trial t JOIN epoch_metric x "
         "ON x.epoch_id = " +
         last + " JOIN metric m ON m.id = x.metric WHERE t.state <> 2";
}

std::string epoch_metrics() {
  return "CREATE VIEW epoch_metrics AS SELECT e.trial AS trial, e.epoch AS epoch, m.name AS "
         "metric, x.value AS value FROM epoch e JOIN epoch_metric x ON x.epoch_id = e.id "
         "JOIN metric m ON m.id = x.metric";
}

// The name with # for each number in it: class_17_accuracy is one of many.
std::string family_of(std::string_view name) {
  std::string family;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit)
      family += c;
    else if (!family.ends_with('#'))
      family += '#';
  }
  return family;
}

// Cut to what a view can have. Members of large families yield to the others, which are what tables
// are sorted by; else the first ones stay.
void cut(Columns& columns) {
  constexpr std::size_t kLargeFamily = 100;
  if (columns.parameters.size() > kMostParameterColumns)
    columns.parameters.resize(kMostParameterColumns);
  if (columns.metrics.size() <= kMostMetricColumns) return;
  std::map<std::string, std::size_t> members;
  for (const MetricColumn& metric : columns.metrics) ++members[family_of(metric.metric.name)];
  std::ranges::stable_partition(columns.metrics, [&](const MetricColumn& metric) {
    return members[family_of(metric.metric.name)] <= kLargeFamily;
  });
  columns.metrics.resize(kMostMetricColumns);
  std::ranges::sort(columns.metrics, {},
                    [](const MetricColumn& metric) { return metric.metric.id; });
}

// Of tables that came with version 5.
std::map<std::string, std::string> origin_views() {
  return {{"programs", programs()}, {"sources", sources()}, {"environments", environments()}};
}

// Those whose columns don't depend on the studies in the file.
std::map<std::string, std::string> fixed_views() {
  std::map<std::string, std::string> views = origin_views();
  views.insert({{"attempts", attempts()},
                {"failures", failures()},
                {"artefacts", artefacts()},
                {"trial_metrics", trial_metrics()},
                {"epoch_metrics", epoch_metrics()},
                {"confusion", confusion()},
                {"class_accuracy", class_accuracy()}});
  return views;
}

// Calls `use` with those of `definitions` that differ from the file's.
template <class Use>
void for_each_outdated(Database& database, const std::map<std::string, std::string>& definitions,
                       const Use& use) {
  Statement present(database,
                    "SELECT sql FROM main.sqlite_schema WHERE type = 'view' AND name = ?1");
  for (const auto& [name, definition] : definitions) {
    const bool same = present.row(name) && present.text(0) == definition;
    present.reset();
    if (!same) use(name, definition);
  }
}

bool has_view(Database& database, const std::string& name) {
  return database.integer(
             "SELECT count(*) FROM main.sqlite_schema WHERE type = 'view' AND name = " +
             quote_text(name)) > 0;
}

}  // namespace

std::map<std::string, std::string> view_definitions(Columns columns) {
  cut(columns);
  auto definitions = fixed_views();
  definitions.emplace("trials", trials(columns));
  definitions.emplace("epochs", epochs(columns));
  definitions.emplace("summary", summary(columns));
  return definitions;
}

void refresh_views(Database& database, const Names& names) {
  for_each_outdated(database, view_definitions(name_columns(names.parameters(), names.metrics())),
                    [&](const std::string& name, const std::string& definition) {
                      database.execute("DROP VIEW IF EXISTS " + name);
                      database.execute(definition);
                    });
}

void add_missing_views(Database& database) {
  constexpr std::string_view kCreate = "CREATE";
  // Those of an older file that it has are of its tables, which lack newer columns.
  const std::int64_t version = database.integer("PRAGMA user_version");
  const bool older = version < schema_version();
  const auto without_table = version < 5 ? origin_views() : std::map<std::string, std::string>();
  std::string statements;
  for_each_outdated(database, fixed_views(),
                    [&](const std::string& name, const std::string& definition) {
                      if (older && has_view(database, name)) return;
                      if (without_table.contains(name)) return;
                      statements += "CREATE TEMP" + definition.substr(kCreate.size()) + ";";
                    });
  if (statements.empty()) return;
  database.execute("PRAGMA temp_store = MEMORY; PRAGMA query_only = OFF; " + statements +
                   "PRAGMA query_only = ON");
}

}  // namespace windrow::storage
