// Trials that go on, or end earlier, since the budget of their cell has changed.
#include <limits>

#include "storage/changed_budget.h"
#include "storage/reconcile.h"

namespace windrow::storage {
namespace {

// A trial that has finished is as it is; but one that stopped early would have done so with any
// budget that is no less than its epochs.
class LeastBudget {
 public:
  LeastBudget(Database& db, std::int64_t study, bool stops_early)
      : study_(study),
        stops_early_(stops_early),
        select_(db,
                "SELECT max(CASE WHEN t.state <> 2 THEN coalesce((SELECT max(epoch) FROM epoch "
                "WHERE trial = t.id), 0) WHEN ?3 THEN t.epochs ELSE ?4 END) FROM cell c "
                "JOIN trial t ON t.cell = c.id WHERE c.study = ?1 AND c.hash = ?2") {}

  int operator()(const std::string& hash) {
    constexpr std::int64_t kNone = std::numeric_limits<int>::max();
    const bool known = select_.row(study_, hash, static_cast<std::int64_t>(stops_early_), kNone);
    const auto least = known && !select_.is_null(0) ? static_cast<int>(select_.integer(0)) : 0;
    select_.reset();
    return least;
  }

 private:
  std::int64_t study_;
  bool stops_early_;
  Statement select_;
};

}  // namespace

std::vector<CellRecord> stored_cells(Database& db, std::int64_t study) {
  std::vector<CellRecord> cells;
  Statement select(db, "SELECT hash, parameters FROM cell WHERE study = ?1");
  select.bind(study);
  while (select.step())
    cells.push_back(
        {std::string(select.text(0)), Json::parse(select.text(1), nullptr, false), {}, {}});
  return cells;
}

std::unordered_map<std::string, int> change_budgets(Database& db, std::int64_t study_id,
                                                    const StudyRecord& study,
                                                    const std::vector<CellRecord>& cells) {
  std::unordered_map<std::string, int> old_budgets;
  if (study.budget.empty()) return old_budgets;
  LeastBudget least(db, study_id, study.stops_early);
  const auto changed = changed_budgets(
      cells, stored_cells(db, study_id),
      {study.budget, study.cell_hash, [&](const std::string& hash) { return least(hash); }});
  if (changed.empty()) return old_budgets;
  std::unordered_map<std::string, const CellRecord*> present;
  for (const CellRecord& cell : cells) present.emplace(cell.hash, &cell);
  Statement rename(db, "UPDATE cell SET hash = ?3, parameters = ?4 WHERE study = ?1 AND hash = ?2");
  // The trials of ?2's cell whose result is that of the old budget.
  const std::string open =
      "(SELECT t.id FROM trial t JOIN cell c ON c.id = t.cell WHERE c.study = ?1 AND c.hash = ?2 "
      "AND t.state = 2 AND (?3 = 0 OR t.epochs >= ?3))";
  Statement drop_metrics(db, "DELETE FROM trial_metric WHERE trial IN " + open);
  Statement drop_artefacts(db, "DELETE FROM artefact WHERE trial IN " + open);
  Statement reopen(
      db, "UPDATE trial SET state = 0, epochs = NULL, wall_seconds = NULL WHERE id IN " + open);
  for (const ChangedBudget& cell : changed) {
    bool tells = true;
    if (cell.is_raised()) {
      const int over_at = study.stops_early ? cell.old_budget : 0;
      drop_metrics.run(study_id, cell.from, over_at);
      drop_artefacts.run(study_id, cell.from, over_at);
      reopen.run(study_id, cell.from, over_at);
      tells = db.changes() > 0;
    }
    if (tells) old_budgets.emplace(cell.to, cell.old_budget);
    rename.run(
        study_id, cell.from, cell.to,
        present.at(cell.to)->parameters.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return old_budgets;
}

}  // namespace windrow::storage
