// Trials that are taken back, to be trained from the beginning.
#include "storage/reconcile.h"
#include "storage/trial_state.h"

namespace windrow::storage {

int redo(Database& db, const std::vector<TrialId>& trials) {
  // The result stays with the attempt that made it; the others whose epochs go are marked alike.
  Statement keep_result(
      db,
      "UPDATE attempt SET taken_back = CASE outcome WHEN 'finished' THEN coalesce((SELECT "
      "json_group_object(m.name, r.value) FROM trial_metric r JOIN metric m ON m.id = r.metric "
      "WHERE r.trial = ?1), '{}') ELSE '{}' END WHERE trial = ?1 AND taken_back IS NULL");
  Statement drop_epoch_metrics(
      db, "DELETE FROM epoch_metric WHERE epoch_id IN (SELECT id FROM epoch WHERE trial = ?1)");
  Statement drop_epochs(db, "DELETE FROM epoch WHERE trial = ?1");
  Statement drop_metrics(db, "DELETE FROM trial_metric WHERE trial = ?1");
  Statement drop_artefacts(db, "DELETE FROM artefact WHERE trial = ?1");
  Statement forgive(db, "UPDATE failure SET forgiven = 1 WHERE trial = ?1");
  Statement take_back(db,
                      "UPDATE trial SET state = 0, epochs = NULL, wall_seconds = NULL, "
                      "failure = NULL, redone = redone + 1 WHERE id = ?1 AND attempts > 0");
  int taken = 0;
  for (const TrialId id : trials) {
    take_back.run(id.value);
    if (db.changes() == 0) continue;  // never begun
    ++taken;
    keep_result.run(id.value);
    drop_epoch_metrics.run(id.value);
    drop_epochs.run(id.value);
    drop_metrics.run(id.value);
    drop_artefacts.run(id.value);
    forgive.run(id.value);
  }
  return taken;
}

}  // namespace windrow::storage
