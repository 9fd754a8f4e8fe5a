#include "storage/gang_epochs.h"

namespace windrow::storage {

std::map<std::int64_t, EpochSeconds> gang_epoch_seconds(Database& database,
                                                        const std::string& study) {
  std::map<std::int64_t, EpochSeconds> seconds;
  constexpr std::int64_t kTells = 3;
  if (database.integer("PRAGMA user_version") < kTells) return seconds;
  Statement select(database,
                   "SELECT e.trial, e.members, avg(e.wall_seconds) FROM epoch e WHERE e.trial IN "
                   "(SELECT g.trial FROM epoch g JOIN trial t ON t.id = g.trial "
                   "JOIN cell c ON c.id = t.cell JOIN study s ON s.id = c.study "
                   "WHERE g.members > 1 AND s.name = ?1) GROUP BY e.trial, e.members");
  select.bind(study);
  while (select.step()) {
    EpochSeconds& trial = seconds[select.integer(0)];
    const int members = static_cast<int>(select.integer(1));
    (members == 1 ? trial.alone : trial.together[members]) = select.real(2);
  }
  return seconds;
}

}  // namespace windrow::storage
