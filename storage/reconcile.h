// Brings the database and a study's cells together. Internal to storage/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/cell_means.h"
#include "storage/database.h"
#include "storage/names.h"
#include "storage/records.h"

namespace windrow::storage {

// Store::reconcile (store.h) inside a transaction.
std::vector<StoredTrial> reconcile(Database& database, Names& names, const StudyRecord& study,
                                   const std::vector<CellRecord>& cells,
                                   const std::vector<std::int64_t>& seeds);

std::vector<CellRecord> stored_cells(Database& database, std::int64_t study_id);

// Cells of the study whose budget has changed become what they are now, with their trials; those
// that had finished a smaller one become pending. Returns the old budgets, by the new hashes, of
// cells with such trials, and of cells whose budget was lowered.
std::unordered_map<std::string, int> change_budgets(Database& database, std::int64_t study_id,
                                                    const StudyRecord& study,
                                                    const std::vector<CellRecord>& cells);

// What a dead run left running becomes pending, its attempts `lost`. For a coordinator that has
// just got the lock, in a transaction.
void end_dead_runs(Database& database);

// Store::reset_failed inside a transaction.
int reset_failed(Database& database, const std::string& study);

// Store::redo inside a transaction.
int redo(Database& database, const std::vector<TrialId>& trials);

// Store::cell_metrics.
CellMeans cell_metrics(Database& database, const std::string& study,
                       const std::vector<std::int64_t>& seeds);

}  // namespace windrow::storage
