#include "storage/merge.h"

#include <map>
#include <optional>
#include <vector>

#include "protocol/messages.h"
#include "storage/trial_state.h"

namespace windrow::storage {
namespace {

// Copies the rows of a table, which both have in the same form, whose column `key` is `value`, and
// for which `more`, another condition, holds. `changed` gives columns other values; a row's own id
// is made anew.
using Changed = std::map<std::string, std::int64_t>;
void copy_rows(Database& from, Database& into, const std::string& table, const std::string& key,
               std::int64_t value, const Changed& changed, const std::string& more = "1") {
  Statement select(from, "SELECT * FROM " + table + " WHERE " + key + " = ?1 AND " + more);
  std::string columns, places;
  std::vector<int> copied;
  for (int i = 0; i < select.columns(); ++i) {
    if (select.column_name(i) == "id") continue;
    copied.push_back(i);
    columns += (columns.empty() ? "" : ", ") + quote_identifier(select.column_name(i));
    places += (places.empty() ? "?" : ", ?") + std::to_string(copied.size());
  }
  Statement insert(into, "INSERT INTO " + table + " (" + columns + ") VALUES (" + places + ")");
  select.bind(value);
  while (select.step()) {
    insert.reset();
    for (std::size_t place = 0; place < copied.size(); ++place) {
      const auto index = static_cast<int>(place + 1);
      const auto other = changed.find(select.column_name(copied[place]));
      if (other == changed.end())
        insert.bind_at(index, select, copied[place]);
      else
        insert.bind_at(index, other->second);
    }
    insert.step();
  }
}

struct Trial {
  std::int64_t id = 0;
  TrialState state = TrialState::pending;
};

class Merge {
 public:
  Merge(Database& into, Names& names, Database& from) : into_(into), names_(names), from_(from) {}

  MergeReport run() {
    Statement studies(from_, "SELECT id, name, text, hash, recorded_at FROM study ORDER BY id");
    while (studies.step()) study(studies);
    return report_;
  }

 private:
  void study(const Statement& row) {
    name_ = row.text(1);
    Statement find(into_, "SELECT id, hash FROM study WHERE name = ?1");
    std::int64_t here = 0;
    if (find.row(name_)) {
      here = find.integer(0);
      if (find.text(1) != row.text(3)) report_.other_texts.push_back(name_);
    } else {
      Statement(into_, "INSERT INTO study (name, text, hash, recorded_at) VALUES (?1, ?2, ?3, ?4)")
          .run(name_, row.text(2), row.text(3), row.integer(4));
      here = into_.last_insert_id();
    }
    Statement cells(from_, "SELECT id, hash, parameters FROM cell WHERE study = ?1 ORDER BY id");
    cells.bind(row.integer(0));
    while (cells.step()) cell(cells, here);
  }

  void cell(const Statement& row, std::int64_t study) {
    const std::int64_t there = row.integer(0);
    Statement find(into_, "SELECT id FROM cell WHERE study = ?1 AND hash = ?2");
    std::int64_t here = 0;
    if (find.row(study, row.text(1))) {
      here = find.integer(0);
    } else {
      Statement(into_, "INSERT INTO cell (study, hash, parameters) VALUES (?1, ?2, ?3)")
          .run(study, row.text(1), row.text(2));
      here = into_.last_insert_id();
      const auto parameters = protocol::Json::parse(row.text(2));
      for (const auto& item : parameters.items()) names_.parameter(item.key());
      stages(there, here, study);
    }
    Statement trials(from_, "SELECT id, seed, state FROM trial WHERE cell = ?1 ORDER BY id");
    trials.bind(there);
    while (trials.step())
      trial({trials.integer(0), static_cast<TrialState>(trials.integer(2))}, here,
            trials.integer(1));
  }

  // A cell that is new here keeps its places.
  void stages(std::int64_t there, std::int64_t here, std::int64_t study) {
    Statement select(from_,
                     "SELECT g.name, g.position, m.position FROM stage_cell m "
                     "JOIN stage g ON g.id = m.stage WHERE m.cell = ?1");
    select.bind(there);
    while (select.step()) {
      Statement(into_, "INSERT OR IGNORE INTO stage (study, name, position) VALUES (?1, ?2, ?3)")
          .run(study, select.text(0), select.integer(1));
      Statement(into_,
                "INSERT OR IGNORE INTO stage_cell (cell, stage, position) SELECT ?1, id, ?4 "
                "FROM stage WHERE study = ?2 AND name = ?3")
          .run(here, study, select.text(0), select.integer(2));
    }
  }

  void trial(Trial there, std::int64_t cell, std::int64_t seed) {
    if (there.state != TrialState::finished && there.state != TrialState::failed) {
      ++report_.unfinished;
      return;
    }
    Statement find(into_, "SELECT id, state FROM trial WHERE cell = ?1 AND seed = ?2");
    Trial here;
    if (find.row(cell, seed)) {
      here = {find.integer(0), static_cast<TrialState>(find.integer(1))};
      find.reset();
    } else {
      Statement(into_, "INSERT INTO trial (cell, seed) VALUES (?1, ?2)").run(cell, seed);
      here.id = into_.last_insert_id();
    }
    if (here.state == TrialState::finished) {
      compare(there, here);
    } else if (here.state == TrialState::failed && there.state == TrialState::failed) {
      ++report_.same;
    } else {
      take(there, here.id);
      ++report_.taken;
    }
  }

  void compare(const Trial& there, const Trial& here) {
    if (there.state == TrialState::failed) {
      ++report_.failed_here_finished;
      return;
    }
    constexpr const char* kLastHash =
        "SELECT coalesce((SELECT state_hash FROM epoch WHERE trial = ?1 ORDER BY epoch DESC LIMIT "
        "1), '')";
    constexpr const char* kResults =
        "SELECT m.name, t.value FROM trial_metric t JOIN metric m ON m.id = t.metric "
        "WHERE t.trial = ?1 ORDER BY m.name";
    const auto hash = [&](Database& database, std::int64_t trial) {
      Statement select(database, kLastHash);
      select.row(trial);
      return std::string(select.text(0));
    };
    const auto results = [&](Database& database, std::int64_t trial) {
      std::map<std::string, double> all;
      Statement select(database, kResults);
      select.bind(trial);
      while (select.step()) all[std::string(select.text(0))] = select.real(1);
      return all;
    };
    std::string what;
    const std::string a = hash(into_, here.id), b = hash(from_, there.id);
    if (!a.empty() && !b.empty() && a != b) what = "the state after the last epoch";
    const auto mine = results(into_, here.id), other = results(from_, there.id);
    for (const auto& [name, value] : other)
      if (const auto found = mine.find(name);
          what.empty() && found != mine.end() && found->second != value)
        what = name + ": " + std::to_string(found->second) + " and " + std::to_string(value);
    if (what.empty())
      ++report_.same;
    else
      report_.conflicts.push_back({name_, here.id, there.id, what});
  }

  // Everything of the trial there in place of what there is here, which was not over.
  void take(const Trial& there, std::int64_t here) {
    for (const char* table : {"attempt", "trial_metric", "artefact", "failure"})
      Statement(into_, std::string("DELETE FROM ") + table + " WHERE trial = ?1").run(here);
    Statement(into_,
              "DELETE FROM epoch_metric WHERE epoch_id IN (SELECT id FROM epoch WHERE trial = ?1)")
        .run(here);
    Statement(into_, "DELETE FROM epoch WHERE trial = ?1").run(here);
    Statement row(from_,
                  "SELECT state, attempts, epochs, wall_seconds, failure, redone FROM trial "
                  "WHERE id = ?1");
    row.row(there.id);
    const auto real = [&](int column) {
      return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
    };
    const auto whole = [&](int column) {
      return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
    };
    const std::optional<std::string> failure =
        row.is_null(4) ? std::nullopt : std::optional(std::string(row.text(4)));
    Statement(into_,
              "UPDATE trial SET state = ?2, attempts = ?3, epochs = ?4, wall_seconds = ?5, "
              "failure = ?6, redone = max(redone, ?7) WHERE id = ?1")
        .run(here, row.integer(0), row.integer(1), whole(2), real(3), failure, row.integer(5));
    copy_attempts(there.id, here);
    copy_rows(from_, into_, "artefact", "trial", there.id, {{"trial", here}});
    copy_rows(from_, into_, "failure", "trial", there.id, {{"trial", here}});
    copy_metrics(there.id, here);
    copy_epochs(there.id, here);
  }

  void copy_attempts(std::int64_t there, std::int64_t here) {
    Statement groups(from_, "SELECT DISTINCT session, source FROM attempt WHERE trial = ?1");
    groups.bind(there);
    while (groups.step()) {
      const std::int64_t theirs = groups.integer(0);
      Changed changed = {{"trial", here}, {"session", session(theirs)}};
      std::string which = "session = " + std::to_string(theirs);
      if (groups.is_null(1)) {
        which += " AND source IS NULL";
      } else {
        which += " AND source = " + std::to_string(groups.integer(1));
        changed["source"] = source(groups.integer(1));
      }
      copy_rows(from_, into_, "attempt", "trial", there, changed, which);
    }
    Statement programs(from_,
                       "SELECT hash, command, files, recorded_at FROM program WHERE hash IN "
                       "(SELECT program FROM attempt WHERE trial = ?1)");
    programs.bind(there);
    while (programs.step())
      Statement(into_,
                "INSERT OR IGNORE INTO program (hash, command, files, recorded_at) "
                "VALUES (?1, ?2, ?3, ?4)")
          .run(programs.text(0), programs.text(1), programs.text(2), programs.integer(3));
  }

  std::int64_t source(std::int64_t there) {
    const auto [found, is_new] = sources_.try_emplace(there, 0);
    if (!is_new) return found->second;
    Statement row(from_, "SELECT git_commit, dirty, diff, recorded_at FROM source WHERE id = ?1");
    row.row(there);
    Statement(into_,
              "INSERT OR IGNORE INTO source (git_commit, dirty, diff, recorded_at) "
              "VALUES (?1, ?2, ?3, ?4)")
        .run(row.text(0), row.integer(1), row.text(2), row.integer(3));
    Statement find(into_, "SELECT id FROM source WHERE git_commit = ?1 AND diff = ?2");
    find.row(row.text(0), row.text(2));
    return found->second = find.integer(0);
  }

  std::int64_t environment(std::int64_t there) {
    Statement row(from_, "SELECT facts FROM environment WHERE id = ?1");
    row.row(there);
    Statement(into_, "INSERT OR IGNORE INTO environment (facts) VALUES (?1)").run(row.text(0));
    Statement find(into_, "SELECT id FROM environment WHERE facts = ?1");
    find.row(row.text(0));
    return find.integer(0);
  }

  // The session here of one there, with its slots.
  std::int64_t session(std::int64_t there) {
    const auto [found, is_new] = sessions_.try_emplace(there, 0);
    if (!is_new) return found->second;
    copy_rows(from_, into_, "session", "id", there, {});
    found->second = into_.last_insert_id();
    Statement environments(from_, "SELECT DISTINCT environment FROM slot WHERE session = ?1");
    environments.bind(there);
    while (environments.step()) {
      Changed changed = {{"session", found->second}};
      std::string which = "environment IS NULL";
      if (!environments.is_null(0)) {
        which = "environment = " + std::to_string(environments.integer(0));
        changed["environment"] = environment(environments.integer(0));
      }
      copy_rows(from_, into_, "slot", "session", there, changed, which);
    }
    return found->second;
  }

  void copy_metrics(std::int64_t there, std::int64_t here) {
    Statement select(from_,
                     "SELECT m.name, t.metric FROM trial_metric t JOIN metric m ON m.id = t.metric "
                     "WHERE t.trial = ?1");
    select.bind(there);
    while (select.step())
      copy_rows(from_, into_, "trial_metric", "trial", there,
                {{"trial", here}, {"metric", names_.trial_metric(select.text(0))}},
                "metric = " + std::to_string(select.integer(1)));
  }

  void copy_epochs(std::int64_t there, std::int64_t here) {
    Statement epochs(from_, "SELECT id FROM epoch WHERE trial = ?1 ORDER BY epoch");
    epochs.bind(there);
    while (epochs.step()) {
      copy_rows(from_, into_, "epoch", "id", epochs.integer(0), {{"trial", here}});
      const std::int64_t id = into_.last_insert_id();
      Statement metrics(from_,
                        "SELECT m.name, e.value FROM epoch_metric e JOIN metric m ON m.id = "
                        "e.metric WHERE e.epoch_id = ?1");
      metrics.bind(epochs.integer(0));
      Statement put(into_,
                    "INSERT OR REPLACE INTO epoch_metric (epoch_id, metric, value) "
                    "VALUES (?1, ?2, ?3)");
      while (metrics.step()) {
        const std::optional<double> value =
            metrics.is_null(1) ? std::nullopt : std::optional(metrics.real(1));
        put.run(id, names_.epoch_metric(metrics.text(0)), value);
      }
    }
  }

  Database& into_;
  Names& names_;
  Database& from_;
  std::string name_;  // of the study
  std::map<std::int64_t, std::int64_t> sessions_, sources_;
  MergeReport report_;
};

}  // namespace

MergeReport merge(Database& database, Names& names, Database& other) {
  return Merge(database, names, other).run();
}

}  // namespace windrow::storage
