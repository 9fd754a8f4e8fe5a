#include "orchestrator/session/kept_before.h"

#include <algorithm>
#include <set>

#include "orchestrator/coordinator/trial_folder.h"
#include "orchestrator/results/texts.h"
#include "storage/quote.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

std::set<std::int64_t> trials_with_folder(const fs::path& checkpoints) {
  std::set<std::int64_t> trials;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error))
    if (const auto folder = trial_of_folder(entry.path().filename().string()))
      trials.insert(folder->trial.value);
  return trials;
}

}  // namespace

std::vector<FinishedTrial> kept_before(storage::Reader& reader, const sweeps::Study& study,
                                       const fs::path& checkpoints) {
  const std::set<std::int64_t> present = trials_with_folder(checkpoints);
  if (present.empty()) return {};
  std::string value = "NULL";
  if (study.report.compare) {
    const auto columns = reader.query("SELECT * FROM trials LIMIT 0").columns;
    if (std::ranges::find(columns, study.report.compare->metric) != columns.end())
      value = "t." + storage::quote_identifier(study.report.compare->metric);
  }
  std::vector<FinishedTrial> trials;
  for (const auto& row :
       reader
           .query("SELECT t.trial, " + value +
                  " FROM trials t JOIN attempts a ON a.trial = t.trial AND a.attempt = t.attempts "
                  "WHERE t.state = 'finished' AND t.study = " +
                  storage::quote_text(study.name) + " ORDER BY a.ended_at")
           .rows) {
    const auto* id = std::get_if<std::int64_t>(&row[0]);
    if (id != nullptr && present.contains(*id))
      trials.push_back({TrialId{*id}, std::nullopt, number_of(row[1])});
  }
  return trials;
}

}  // namespace windrow
