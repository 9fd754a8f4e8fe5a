#include "orchestrator/coordinator/study_progress.h"

#include "sweeps/tasks/task_schema.h"

namespace windrow {

using storage::TrialState;
using Kind = sweeps::StageState::Kind;

StudyProgress::StudyProgress(const sweeps::Study& study, storage::Store& store)
    : study_(study), store_(store) {}

bool StudyProgress::over(const TrialRecord& trial) const {
  return trial.state == TrialState::finished || trial.state == TrialState::failed;
}

int StudyProgress::count(TrialState state) const {
  return counts_[static_cast<std::size_t>(state)];
}

std::vector<std::string> StudyProgress::complete_stages() const {
  std::vector<std::string> complete;
  for (const auto& [stage, state] : stages_)
    if (state.kind == Kind::expanded && open_in_stage_.at(stage) == 0) complete.push_back(stage);
  return complete;
}

std::vector<TrialId> StudyProgress::expand() {
  std::vector<TrialId> added;
  // A stage whose cells are all finished already completes at once and may free the next.
  for (bool more = true; more;) {
    const std::vector<std::string> complete = complete_stages();
    if (!complete.empty()) store_.flush();
    sweeps::Expansion expansion = sweeps::expand(
        study_, complete.empty() ? sweeps::CellMetrics{} : store_.cell_metrics(study_.name),
        complete);
    std::vector<storage::CellRecord> records;
    records.reserve(expansion.cells.size());
    for (const sweeps::Cell& cell : expansion.cells)
      records.push_back({cell.hash, cell.parameters, cell.stages, cell.places});
    const auto stored =
        store_.reconcile({study_.name, study_.text, study_.hash}, records, study_.seeds);
    cells_ = std::move(expansion.cells);
    stages_ = std::move(expansion.stages);
    cell_index_.clear();
    for (std::size_t i = 0; i < cells_.size(); ++i) cell_index_[cells_[i].hash] = i;
    add(stored, added);
    more = complete_stages() != complete && !waiting_stages().empty();
  }
  return added;
}

bool StudyProgress::add(const std::vector<storage::StoredTrial>& stored,
                        std::vector<TrialId>& added) {
  for (const storage::StoredTrial& trial : stored) {
    const std::size_t cell = cell_index_.at(trial.cell);
    const auto [found, is_new] = trials_.try_emplace(trial.id);
    TrialRecord& record = found->second;
    record.cell = cell;
    if (!is_new) continue;
    record.id = trial.id;
    record.seed = trial.seed;
    record.attempts = trial.attempts;
    record.committed_epochs = trial.committed_epochs;
    record.epochs = sweeps::declared_epochs(cells_[cell].parameters);
    record.epoch_seconds = trial.mean_epoch_seconds;
    record.state = trial.state;
    record.failures = trial.failures_by_kind;
    ++counts_[static_cast<std::size_t>(record.state)];
    added.push_back(trial.id);
  }
  open_in_stage_.clear();
  for (const auto& [stage, state] : stages_) open_in_stage_[stage] = 0;
  for (const auto& [id, record] : trials_)
    if (!over(record))
      for (const std::string& stage : cells_[record.cell].stages) ++open_in_stage_[stage];
  return !added.empty();
}

bool StudyProgress::on_trial_over(TrialId id, TrialState state) {
  TrialRecord& record = trials_.at(id);
  if (over(record)) return false;
  --counts_[static_cast<std::size_t>(record.state)];
  record.state = state;
  ++counts_[static_cast<std::size_t>(record.state)];
  bool completed = false;
  for (const std::string& stage : cells_[record.cell].stages)
    completed |= --open_in_stage_[stage] == 0;
  return completed && !waiting_stages().empty();
}

std::map<std::string, std::string> StudyProgress::waiting_stages() const {
  std::map<std::string, std::string> waiting;
  for (const auto& [stage, state] : stages_)
    if (state.kind != Kind::expanded) waiting[stage] = state.reason;
  return waiting;
}

std::map<std::string, std::string> StudyProgress::short_stages() const {
  std::map<std::string, std::string> wanting;
  for (const auto& [stage, state] : stages_)
    if (state.kind == Kind::expanded && !state.reason.empty()) wanting[stage] = state.reason;
  return wanting;
}

}  // namespace windrow
