// Which trials a study has by now: the expansion of its stages as results come in, and the
// database's word on what is done already. Waits for nothing: an expansion is begun, and poll()ed.
#pragma once

#include <array>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/store.h"
#include "sweeps/study.h"

namespace windrow {

// What neither the scheduler nor the study knows of a trial.
struct TrialRecord {
  TrialId id;
  std::size_t cell = 0;   // index into StudyProgress::cells()
  std::size_t group = 0;  // the cell's number for the scheduler, which never changes
  std::int64_t seed = 0;
  int committed_epochs = 0;  // recorded so far
  int epochs = 1;            // in all, as far as the parameters say
  storage::TrialState state = storage::TrialState::pending;
  std::optional<protocol::FailureKind> failure;  // of a failed trial
  std::vector<protocol::Watched> watched;        // the early-stopping metric of its epochs
  double done = 0;                               // the part of it that is done, 0 to 1
  int redone = 0;                                // how often it was begun anew on purpose
};

class StudyProgress {
 public:
  // `expansion`: see CoordinatorOptions.
  StudyProgress(const sweeps::Study& study, storage::Store& store,
                std::launch expansion = std::launch::async);

  // Begins to expand what can be expanded and to bring the database up to date.
  void begin_expand();
  bool expanding() const { return step_ != Step::none; }

  // The trials that are new to this run, finished ones among them, once an expansion is done and
  // durable; nullopt before. Throws what went wrong (StudyError, StorageError).
  std::optional<std::vector<storage::StoredTrial>> poll();

  // A trial is finished or failed. True when a stage became complete that another one selects
  // from, so that begin_expand() may have more.
  bool on_trial_over(TrialId trial, storage::TrialState state,
                     std::optional<protocol::FailureKind> failure = std::nullopt);

  void on_epoch(TrialId trial, int epoch);

  // How many trials are done; those that are not over count by their epochs.
  double trials_done() const { return trials_done_; }

  bool has(TrialId id) const { return trials_.contains(id); }
  TrialRecord& trial(TrialId id) { return trials_.at(id); }
  const TrialRecord& trial(TrialId id) const { return trials_.at(id); }
  const sweeps::Cell& cell(const TrialRecord& trial) const { return expansion_.cells[trial.cell]; }
  const std::vector<std::string>& varying() const { return expansion_.varying; }
  std::size_t size() const { return trials_.size(); }
  int count(storage::TrialState state) const;

  // Stages that are not expanded, with the reason; empty once the whole study is.
  std::map<std::string, std::string> waiting_stages() const;
  // Stages that select fewer cells than wanted, with the reason.
  std::map<std::string, std::string> short_stages() const;

 private:
  void set_done(TrialRecord& trial, double done);
  enum class Step { none, means, cells, trials };

  void begin_cells(storage::CellMeans means);
  void begin_trials();
  void take(const std::vector<storage::StoredTrial>& stored);
  sweeps::StageProgress stage_progress() const;

  const sweeps::Study& study_;
  storage::Store& store_;
  std::launch expansion_policy_;
  Step step_ = Step::none;
  std::future<storage::CellMeans> means_;
  std::future<sweeps::Expansion> cells_;
  std::future<std::vector<storage::StoredTrial>> stored_;
  std::vector<storage::StoredTrial> added_;  // of the expansion under way

  sweeps::Expansion expansion_;
  sweeps::StageProgress progress_;                       // that expansion_ was made with
  std::unordered_map<std::string, std::size_t> index_;   // cell hash -> index
  std::unordered_map<std::string, std::size_t> groups_;  // cell hash -> group
  std::unordered_map<std::string, TrialId> ids_;         // cell hash and seed -> trial
  std::unordered_map<TrialId, TrialRecord> trials_;
  std::map<std::string, int> open_in_stage_;  // trials not over, of expanded stages
  std::array<int, 4> counts_{};
  double trials_done_ = 0;
};

}  // namespace windrow
