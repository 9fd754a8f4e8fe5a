// Trials that go on, or end earlier, since the budget of their cell has changed.
#include <algorithm>

#include "storage/changed_budget.h"
#include "storage/reconcile.h"

namespace windrow::storage {

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
  Statement trials(db,
                   "SELECT t.state, CASE t.state WHEN 2 THEN t.epochs ELSE coalesce((SELECT "
                   "max(epoch) FROM epoch WHERE trial = t.id), 0) END FROM cell c JOIN trial t ON "
                   "t.cell = c.id WHERE c.study = ?1 AND c.hash = ?2");
  const auto least = [&](const std::string& hash) {
    int budget = 0;
    trials.bind(study_id, hash);
    while (trials.step())
      budget =
          std::max(budget, least_budget(static_cast<TrialState>(trials.integer(0)),
                                        static_cast<int>(trials.integer(1)), study.stops_early));
    return budget;
  };
  const auto changed =
      changed_budgets(cells, stored_cells(db, study_id), {study.budget, study.cell_hash, least});
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
