#include "storage/reconcile.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_map>

#include "storage/clock.h"
#include "storage/gang_epochs.h"
#include "storage/schema.h"

namespace windrow::storage {
namespace {

std::int64_t put_study(Database& db, const StudyRecord& study) {
  Statement find(db, "SELECT id, hash, text FROM study WHERE name = ?1");
  if (!find.row(study.name)) {
    Statement(db, "INSERT INTO study (name, text, hash, recorded_at) VALUES (?1, ?2, ?3, ?4)")
        .run(study.name, study.text, study.hash, now_ms());
    return db.last_insert_id();
  }
  const std::int64_t id = find.integer(0);
  const bool same = find.text(1) == study.hash && find.text(2) == study.text;
  find.reset();
  if (same) return id;
  Statement(db,
            "INSERT INTO study_history (study, text, hash, recorded_at) "
            "SELECT id, text, hash, recorded_at FROM study WHERE id = ?1")
      .run(id);
  Statement(db, "UPDATE study SET text = ?2, hash = ?3, recorded_at = ?4 WHERE id = ?1")
      .run(id, study.text, study.hash, now_ms());
  return id;
}

struct KnownCell {
  std::int64_t id = 0;
  std::string parameters;
};

std::string text_of(const Json& parameters) {
  return parameters.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What was trained, and what the task has got since at its default, which is how it was trained.
Json with_later_parameters(const std::string& trained, Json now) {
  now.update(Json::parse(trained));
  return now;
}

// Ids of `cells`, in their order; new ones are made. A cell's parameters follow the study until a
// trial of it has begun.
std::vector<std::int64_t> put_cells(Database& db, Names& names, std::int64_t study,
                                    const std::vector<CellRecord>& cells) {
  std::unordered_map<std::string, KnownCell> known;
  Statement select(db, "SELECT hash, id, parameters FROM cell WHERE study = ?1");
  select.bind(study);
  while (select.step())
    known.try_emplace(std::string(select.text(0)), select.integer(1), std::string(select.text(2)));
  Statement insert(db, "INSERT INTO cell (study, hash, parameters) VALUES (?1, ?2, ?3)");
  Statement update(db, "UPDATE cell SET parameters = ?2 WHERE id = ?1");
  Statement begun(db, "SELECT 1 FROM trial WHERE cell = ?1 AND attempts > 0");
  std::vector<std::int64_t> ids;
  ids.reserve(cells.size());
  for (const CellRecord& cell : cells) {
    std::string parameters = text_of(cell.parameters);
    const auto found = known.find(cell.hash);
    if (found != known.end()) {
      const auto& [id, recorded] = found->second;
      ids.push_back(id);
      if (recorded == parameters) continue;
      if (begun.row(id)) parameters = text_of(with_later_parameters(recorded, cell.parameters));
      begun.reset();
      if (recorded == parameters) continue;
      update.run(id, parameters);
    } else {
      insert.run(study, cell.hash, parameters);
      ids.push_back(db.last_insert_id());
      known.try_emplace(cell.hash, ids.back(), parameters);
    }
    for (const auto& item : cell.parameters.items()) names.parameter(item.key());
  }
  return ids;
}

// Stage membership becomes that of `cells`; only differences are written.
void put_stages(Database& db, std::int64_t study, const std::vector<CellRecord>& cells,
                const std::vector<std::int64_t>& ids) {
  std::unordered_map<std::string, std::int64_t> stages;
  Statement put_stage(db,
                      "INSERT INTO stage (study, name, position) VALUES (?1, ?2, ?3) "
                      "ON CONFLICT (study, name) DO UPDATE SET position = ?3 "
                      "WHERE position <> ?3");
  Statement stage_id(db, "SELECT id FROM stage WHERE study = ?1 AND name = ?2");
  for (const CellRecord& cell : cells)
    for (const std::string& name : cell.stages) {
      if (stages.contains(name)) continue;
      put_stage.run(study, name, stages.size());
      stage_id.row(study, name);
      stages.emplace(name, stage_id.integer(0));
      stage_id.reset();
    }
  using Membership = std::tuple<std::int64_t, std::int64_t, std::int64_t>;  // cell, stage, position
  std::vector<Membership> wanted, present, add, remove;
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (std::size_t k = 0; k < cells[i].stages.size(); ++k)
      wanted.emplace_back(
          ids[i], stages.at(cells[i].stages[k]),
          cells[i].places.empty() ? static_cast<std::int64_t>(i) : cells[i].places[k]);
  Statement select(db,
                   "SELECT m.cell, m.stage, m.position FROM stage_cell m "
                   "JOIN stage s ON s.id = m.stage WHERE s.study = ?1");
  select.bind(study);
  while (select.step())
    present.emplace_back(select.integer(0), select.integer(1), select.integer(2));
  std::sort(wanted.begin(), wanted.end());
  std::sort(present.begin(), present.end());
  std::set_difference(wanted.begin(), wanted.end(), present.begin(), present.end(),
                      std::back_inserter(add));
  std::set_difference(present.begin(), present.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(remove));
  Statement drop(db, "DELETE FROM stage_cell WHERE cell = ?1 AND stage = ?2");
  Statement insert(db,
                   "INSERT OR REPLACE INTO stage_cell (cell, stage, position) VALUES (?1, ?2, ?3)");
  for (const auto& [cell, stage, position] : remove) drop.run(cell, stage);
  for (const auto& [cell, stage, position] : add) insert.run(cell, stage, position);
}

struct KnownTrial {
  std::int64_t cell = 0;
  StoredTrial trial;
};

// The study's trials in the database, by cell and seed.
std::vector<KnownTrial> load_trials(Database& db, std::int64_t study) {
  std::vector<KnownTrial> trials;
  Statement select(
      db,
      "SELECT t.id, t.cell, t.seed, t.state, t.attempts, t.failure, "
      "CASE t.state WHEN 2 THEN t.epochs "
      "ELSE coalesce((SELECT max(epoch) FROM epoch WHERE trial = t.id), 0) END, "
      "CASE t.state WHEN 2 THEN coalesce(t.wall_seconds / nullif(t.epochs, 0), 0) "
      "ELSE coalesce((SELECT avg(wall_seconds) FROM epoch WHERE trial = t.id), 0) "
      "END, t.redone FROM cell c CROSS JOIN trial t ON t.cell = c.id WHERE c.study = ?1");
  select.bind(study);
  while (select.step()) {
    KnownTrial known;
    known.cell = select.integer(1);
    StoredTrial& trial = known.trial;
    trial.id = {select.integer(0)};
    trial.seed = select.integer(2);
    trial.state = static_cast<TrialState>(select.integer(3));
    trial.attempts = static_cast<int>(select.integer(4));
    if (!select.is_null(5)) trial.failure = protocol::failure_kind(select.text(5));
    trial.committed_epochs = static_cast<int>(select.integer(6));
    trial.mean_epoch_seconds = select.real(7);
    trial.redone = static_cast<int>(select.integer(8));
    trials.push_back(std::move(known));
  }
  std::sort(trials.begin(), trials.end(), [](const KnownTrial& a, const KnownTrial& b) {
    return std::tie(a.cell, a.trial.seed) < std::tie(b.cell, b.trial.seed);
  });
  return trials;
}

// What several slots trained together tells how a gang scales, not how long an epoch takes alone.
void add_gangs(Database& db, const std::string& study, std::vector<StoredTrial>& trials) {
  const auto seconds = gang_epoch_seconds(db, study);
  if (seconds.empty()) return;
  for (StoredTrial& trial : trials) {
    const auto found = seconds.find(trial.id.value);
    if (found == seconds.end()) continue;
    trial.mean_epoch_seconds = found->second.alone;
    trial.gang_epoch_seconds = found->second.together;
  }
}

std::string machines_kinds() {
  std::string list;
  for (const std::string_view name : protocol::kFailureKindNames)
    if (protocol::may_be_machines(*protocol::failure_kind(name)))
      list += (list.empty() ? "'" : ", '") + std::string(name) + "'";
  return list;
}

template <class Find>
void add_unexplained(Database& db, std::int64_t study, Find find) {
  Statement select(
      db, "WITH suspect AS (SELECT * FROM failure WHERE kind IN (" + machines_kinds() +
              ")), well AS MATERIALIZED (SELECT host, max(ended_at) AS at FROM attempt "
              "WHERE outcome = 'finished' GROUP BY host) "
              "SELECT f.trial, f.attempt, f.kind, f.host FROM suspect f "
              "JOIN trial t ON t.id = f.trial JOIN cell c ON c.id = t.cell "
              "LEFT JOIN well ON well.host = f.host "
              "WHERE c.study = ?1 AND NOT f.forgiven AND t.state < 2 "
              "AND coalesce(well.at, 0) <= f.failed_at AND NOT EXISTS (SELECT 1 FROM suspect g "
              "WHERE g.trial = f.trial AND g.attempt > f.attempt AND g.host <> f.host) "
              "ORDER BY f.trial, f.attempt");
  select.bind(study);
  while (select.step()) {
    StoredTrial* trial = find(select.integer(0));
    if (trial != nullptr)
      trial->unexplained.push_back({static_cast<int>(select.integer(1)),
                                    *protocol::failure_kind(select.text(2)),
                                    std::string(select.text(3))});
  }
}

void add_failures(Database& db, std::int64_t study, std::vector<StoredTrial>& trials) {
  std::unordered_map<std::int64_t, StoredTrial*> by_id;
  const auto find = [&](std::int64_t id) {
    if (by_id.empty())  // most studies have no failure
      for (StoredTrial& trial : trials) by_id.emplace(trial.id.value, &trial);
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : found->second;
  };
  Statement select(db,
                   "SELECT f.trial, f.kind, count(*) FROM failure f JOIN trial t ON t.id = f.trial "
                   "JOIN cell c ON c.id = t.cell WHERE c.study = ?1 AND NOT f.forgiven "
                   "GROUP BY f.trial, f.kind");
  select.bind(study);
  while (select.step()) {
    StoredTrial* trial = find(select.integer(0));
    const auto kind = protocol::failure_kind(select.text(1));
    if (trial != nullptr && kind)
      trial->failures_by_kind[*kind] = static_cast<int>(select.integer(2));
  }
  if (!by_id.empty()) add_unexplained(db, study, find);
  Statement stopped(db,
                    "SELECT f.trial, count(DISTINCT a.session) FROM failure f "
                    "JOIN attempt a ON a.trial = f.trial AND a.attempt = f.attempt "
                    "JOIN trial t ON t.id = f.trial JOIN cell c ON c.id = t.cell "
                    "WHERE c.study = ?1 AND f.forgiven = ?2 GROUP BY f.trial");
  stopped.bind(study, kForgivenWithTheRun);
  while (stopped.step()) {
    if (StoredTrial* trial = find(stopped.integer(0)))
      trial->stopped_runs = static_cast<int>(stopped.integer(1));
  }
}

// The watched metric of the committed epochs of trials that are to go on.
void add_histories(Database& db, std::int64_t study, const std::string& metric,
                   std::vector<StoredTrial>& trials) {
  std::unordered_map<std::int64_t, StoredTrial*> open;
  for (StoredTrial& trial : trials)
    if (trial.committed_epochs > 0 && trial.state != TrialState::finished &&
        trial.state != TrialState::failed)
      open.emplace(trial.id.value, &trial);
  if (open.empty()) return;
  Statement select(db,
                   "SELECT e.trial, e.epoch, m.value FROM cell c JOIN trial t ON t.cell = c.id "
                   "JOIN epoch e ON e.trial = t.id JOIN epoch_metric m ON m.epoch_id = e.id "
                   "AND m.metric = (SELECT id FROM metric WHERE name = ?2) "
                   "WHERE c.study = ?1 AND t.state < 2 ORDER BY e.trial, e.epoch");
  select.bind(study, metric);
  while (select.step()) {
    const auto found = open.find(select.integer(0));
    if (found == open.end()) continue;
    found->second->watched.push_back(
        {static_cast<int>(select.integer(1)), select.is_null(2) ? std::nan("") : select.real(2)});
  }
}

}  // namespace

std::vector<StoredTrial> reconcile(Database& db, Names& names, const StudyRecord& study,
                                   const std::vector<CellRecord>& cells,
                                   const std::vector<std::int64_t>& seeds) {
  const std::int64_t study_id = put_study(db, study);
  const auto old_budgets = change_budgets(db, study_id, study, cells);
  const auto ids = put_cells(db, names, study_id, cells);
  put_stages(db, study_id, cells, ids);
  std::vector<KnownTrial> known = load_trials(db, study_id);
  Statement insert(db, "INSERT INTO trial (cell, seed) VALUES (?1, ?2)");
  std::vector<StoredTrial> trials;
  trials.reserve(cells.size() * seeds.size());
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (const std::int64_t seed : seeds) {
      const auto found = std::lower_bound(known.begin(), known.end(), std::pair(ids[i], seed),
                                          [](const KnownTrial& k, const auto& key) {
                                            return std::pair(k.cell, k.trial.seed) < key;
                                          });
      StoredTrial trial;
      if (found != known.end() && found->cell == ids[i] && found->trial.seed == seed) {
        trial = found->trial;
        if (const auto old = old_budgets.find(cells[i].hash); old != old_budgets.end()) {
          if (cells[i].parameters.at(study.budget).get<int>() < old->second)
            trial.is_cut = trial.committed_epochs > 0 && trial.state != TrialState::finished &&
                           trial.state != TrialState::failed;
          else if (trial.committed_epochs >= old->second)
            trial.raised_from = old->second;
        }
      } else {
        insert.run(ids[i], seed);
        trial.id = {db.last_insert_id()};
        trial.seed = seed;
      }
      trial.cell = cells[i].hash;
      trials.push_back(std::move(trial));
    }
  add_gangs(db, study.name, trials);
  add_failures(db, study_id, trials);
  if (!study.watched_metric.empty()) add_histories(db, study_id, study.watched_metric, trials);
  return trials;
}

void end_dead_runs(Database& db) {
  db.execute(
      "UPDATE attempt SET outcome = 'lost' WHERE outcome = 'running' "
      "AND trial IN (SELECT id FROM trial WHERE state = 1 OR (state = 3 AND failure = "
      "'cancelled'))");
  db.execute("UPDATE trial SET state = 0 WHERE state = 1");
}

int reset_failed(Database& db, const std::string& study) {
  constexpr const char* kFailed =
      "SELECT t.id FROM trial t JOIN cell c ON c.id = t.cell JOIN study s ON s.id = c.study "
      "WHERE s.name = ?1 AND t.state = 3";
  Statement(db, std::string("UPDATE failure SET forgiven = 1 WHERE trial IN (") + kFailed + ")")
      .run(study);
  Statement(db,
            std::string("UPDATE trial SET state = 0, failure = NULL WHERE id IN (") + kFailed + ")")
      .run(study);
  return static_cast<int>(db.changes());
}

CellMeans cell_metrics(Database& db, const std::string& study,
                       const std::vector<std::int64_t>& seeds) {
  CellMeans result;
  Statement select(
      db,
      "SELECT c.hash, m.name, avg(r.value) FROM study s JOIN cell c ON c.study = s.id "
      "JOIN trial t ON t.cell = c.id AND t.state = 2 JOIN trial_metric r ON r.trial = t.id "
      "JOIN metric m ON m.id = r.metric WHERE s.name = ?1 AND r.value IS NOT NULL "
      "AND t.seed IN (SELECT value FROM json_each(?2)) "
      "GROUP BY c.id, m.id");
  const std::string wanted = Json(seeds).dump();  // bound by reference
  select.bind(study, wanted);
  while (select.step())
    result[std::string(select.text(0))][std::string(select.text(1))] = select.real(2);
  return result;
}

}  // namespace windrow::storage
