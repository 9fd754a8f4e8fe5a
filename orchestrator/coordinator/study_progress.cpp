#include "orchestrator/coordinator/study_progress.h"

#include "sweeps/tasks/task_schema.h"

namespace windrow {

using storage::TrialState;
using Kind = sweeps::StageState::Kind;

namespace {

bool over(const TrialRecord& trial) {
  return trial.state == TrialState::finished || trial.state == TrialState::failed;
}

// Of a trial that is not over: its last epoch is not all that it has to do.
double part_done(const TrialRecord& trial) {
  const int epochs = std::max(trial.epochs, 1);
  return static_cast<double>(std::min(trial.committed_epochs, epochs)) / epochs;
}

template <class T>
bool is_ready(std::future<T>& future) {  // or what get() itself does
  return future.wait_for(std::chrono::seconds(0)) != std::future_status::timeout;
}

std::string key_of(const std::string& cell, std::int64_t seed) {
  return cell + '/' + std::to_string(seed);
}

}  // namespace

StudyProgress::StudyProgress(const sweeps::Study& study, storage::Store& store,
                             std::launch expansion)
    : study_(study), store_(store), expansion_policy_(expansion) {}

int StudyProgress::count(TrialState state) const {
  return counts_[static_cast<std::size_t>(state)];
}

sweeps::StageProgress StudyProgress::stage_progress() const {
  return sweeps::stage_progress(
      study_, expansion_, [this](const sweeps::Cell& cell, std::int64_t seed) -> sweeps::TrialEnd {
        const auto id = ids_.find(key_of(cell.hash, seed));
        if (id == ids_.end()) return {};
        const TrialRecord& trial = trials_.at(id->second);
        return {over(trial), trial.failure};
      });
}

void StudyProgress::begin_expand() {
  progress_ = stage_progress();
  if (progress_.complete.empty()) {
    begin_cells({});
    return;
  }
  step_ = Step::means;  // of all that was recorded before
  means_ = store_.begin_cell_metrics(study_.name, study_.seeds);
}

void StudyProgress::begin_cells(storage::CellMeans means) {
  step_ = Step::cells;
  cells_ = std::async(expansion_policy_, [this, means = std::move(means), progress = progress_] {
    return sweeps::expand(study_, means, progress.complete, progress.failures);
  });
}

void StudyProgress::begin_trials() {
  step_ = Step::trials;
  std::vector<storage::CellRecord> records;
  records.reserve(expansion_.cells.size());
  for (const sweeps::Cell& cell : expansion_.cells)
    records.push_back({cell.hash, cell.parameters, cell.stages, cell.places});
  const bool watches = study_.early_stopping && !study_.trainer.command.empty();
  stored_ = store_.begin_reconcile(
      {study_.name, study_.text, study_.hash, watches ? study_.early_stopping->metric : "",
       study_.early_stopping.has_value(), sweeps::budget_parameter(study_),
       [this](const sweeps::Json& parameters) { return sweeps::cell_hash(study_, parameters); }},
      std::move(records), study_.seeds);
}

std::optional<std::vector<storage::StoredTrial>> StudyProgress::poll() {
  if (step_ == Step::means && is_ready(means_)) begin_cells(means_.get());
  if (step_ == Step::cells && is_ready(cells_)) {
    expansion_ = cells_.get();
    index_.clear();
    for (std::size_t i = 0; i < expansion_.cells.size(); ++i) {
      index_[expansion_.cells[i].hash] = i;
      groups_.try_emplace(expansion_.cells[i].hash, groups_.size());
    }
    begin_trials();
  }
  if (step_ != Step::trials || !is_ready(stored_)) return std::nullopt;
  take(stored_.get());
  step_ = Step::none;
  // A stage whose cells are all finished already completes at once and may free the next.
  if (!waiting_stages().empty() && stage_progress().complete != progress_.complete) {
    begin_expand();
    return std::nullopt;
  }
  return std::exchange(added_, {});
}

void StudyProgress::take(const std::vector<storage::StoredTrial>& stored) {
  for (const storage::StoredTrial& trial : stored) {
    const std::size_t cell = index_.at(trial.cell);
    const auto [found, is_new] = trials_.try_emplace(trial.id);
    TrialRecord& record = found->second;
    record.cell = cell;
    if (!is_new) continue;
    record.id = trial.id;
    record.group = groups_.at(trial.cell);
    record.seed = trial.seed;
    record.committed_epochs = trial.committed_epochs;
    record.epochs = sweeps::declared_epochs(expansion_.cells[cell].parameters);
    record.state = trial.state;
    record.failure = trial.failure;
    record.watched = trial.watched;
    record.redone = trial.redone;
    ids_[key_of(trial.cell, trial.seed)] = trial.id;
    set_done(record, over(record) ? 1 : part_done(record));
    ++counts_[static_cast<std::size_t>(record.state)];
    added_.push_back(trial);
  }
  open_in_stage_.clear();
  for (const auto& [stage, state] : expansion_.stages) open_in_stage_[stage] = 0;
  for (const auto& [id, record] : trials_)
    if (!over(record))
      for (const std::string& stage : expansion_.cells[record.cell].stages) ++open_in_stage_[stage];
}

void StudyProgress::on_epoch(TrialId id, int epoch) {
  TrialRecord& record = trials_.at(id);
  record.committed_epochs = std::max(record.committed_epochs, epoch);
  if (!over(record)) set_done(record, part_done(record));
}

void StudyProgress::set_done(TrialRecord& trial, double done) {
  trials_done_ += done - trial.done;
  trial.done = done;
}

bool StudyProgress::on_trial_over(TrialId id, TrialState state,
                                  std::optional<protocol::FailureKind> failure) {
  TrialRecord& record = trials_.at(id);
  if (over(record) && record.state == state) return false;
  const bool was_over = over(record);  // its result could not be stored
  --counts_[static_cast<std::size_t>(record.state)];
  record.state = state;
  record.failure = failure;
  record.watched.clear();
  set_done(record, 1);
  ++counts_[static_cast<std::size_t>(record.state)];
  if (was_over) return false;
  bool completed = false;
  for (const std::string& stage : expansion_.cells[record.cell].stages)
    completed |= --open_in_stage_[stage] == 0;
  return completed && !waiting_stages().empty();
}

std::map<std::string, std::string> StudyProgress::waiting_stages() const {
  std::map<std::string, std::string> waiting;
  for (const auto& [stage, state] : expansion_.stages)
    if (state.kind != Kind::expanded) waiting[stage] = state.reason;
  return waiting;
}

std::map<std::string, std::string> StudyProgress::short_stages() const {
  std::map<std::string, std::string> wanting;
  for (const auto& [stage, state] : expansion_.stages)
    if (state.kind == Kind::expanded && !state.reason.empty()) wanting[stage] = state.reason;
  return wanting;
}

}  // namespace windrow
