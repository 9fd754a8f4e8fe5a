// Which trials a study has by now: the expansion of its stages as results come in, and the
// database's word on what is done already.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/store.h"
#include "sweeps/study.h"

namespace windrow {

struct TrialRecord {
  TrialId id;
  std::size_t cell = 0;  // index into StudyProgress::cells()
  std::int64_t seed = 0;
  int attempts = 0;          // begun so far
  int committed_epochs = 0;  // recorded so far
  int epochs = 1;            // in all, as far as the parameters say
  double epoch_seconds = 0;  // measured in earlier runs; 0 = none
  storage::TrialState state = storage::TrialState::pending;
  std::map<protocol::FailureKind, int> failures;
};

class StudyProgress {
 public:
  StudyProgress(const sweeps::Study& study, storage::Store& store);

  // Expands what can be expanded and brings the database up to date (durable on return). Returns
  // the trials that are new to this run, finished ones among them.
  std::vector<TrialId> expand();

  // A trial is finished or failed. True when a stage became complete that another one selects
  // from, so that expand() may have more.
  bool on_trial_over(TrialId trial, storage::TrialState state);

  TrialRecord& trial(TrialId id) { return trials_.at(id); }
  const TrialRecord& trial(TrialId id) const { return trials_.at(id); }
  bool knows(TrialId id) const { return trials_.contains(id); }
  const sweeps::Cell& cell(const TrialRecord& trial) const { return cells_[trial.cell]; }
  const std::vector<sweeps::Cell>& cells() const { return cells_; }
  std::size_t size() const { return trials_.size(); }
  int count(storage::TrialState state) const;

  // Stages that are not expanded, with the reason; empty once the whole study is.
  std::map<std::string, std::string> waiting_stages() const;
  // Stages that select fewer cells than wanted, with the reason.
  std::map<std::string, std::string> short_stages() const;

 private:
  bool over(const TrialRecord& trial) const;
  bool add(const std::vector<storage::StoredTrial>& stored, std::vector<TrialId>& added);
  std::vector<std::string> complete_stages() const;

  const sweeps::Study& study_;
  storage::Store& store_;
  std::vector<sweeps::Cell> cells_;
  std::map<std::string, std::size_t> cell_index_;  // by hash
  std::unordered_map<TrialId, TrialRecord> trials_;
  std::map<std::string, int> open_in_stage_;  // trials not over, of expanded stages
  std::map<std::string, sweeps::StageState> stages_;
  std::array<int, 4> counts_{};
};

}  // namespace windrow
