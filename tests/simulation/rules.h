// What must hold of a simulated run's database, at any time between two sessions.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "storage/reader.h"
#include "tests/simulation/experiment.h"
#include "tests/simulation/shared_folder.h"

namespace windrow::simulation {

class Rules {
 public:
  Rules(std::filesystem::path database, std::string checkpoints, Experiment& experiment,
        const SharedFolder& folder)
      : database_(std::move(database)),
        checkpoints_(std::move(checkpoints)),
        experiment_(experiment),
        folder_(folder) {}

  // After a session. `over`: it said that nothing is left. Throws BrokenRule.
  void check(bool over);

  // Somebody has taken the trial back, to be trained anew.
  void taken_back(std::int64_t trial);

  int epochs() const;  // recorded

  // Of those that were in the database at the last check; nullptr: there is none.
  std::pair<std::int64_t, TrialTruth*> some_trial(Random& random);

 private:
  struct Recorded {  // by trial
    std::map<std::int64_t, Experiment::Place> places;
    std::map<std::int64_t, std::string> states;  // of one that failed: its failure
    std::map<std::int64_t, int> epochs;
    std::optional<int> best;          // the x that the second stage takes
    std::set<std::int64_t> left_out;  // of the study as it is now
  };
  Recorded read(storage::Reader& reader);

  void check_set_of_trials(const Recorded& recorded) const;
  void check_epochs(storage::Reader& reader) const;
  void check_outcome(storage::Reader& reader, const Recorded& recorded, std::int64_t trial,
                     bool over) const;
  void check_folders(storage::Reader& reader, const Recorded& recorded) const;
  Experiment::Expected expected(const TrialTruth& truth, int epochs, bool may_be_earlier) const;
  std::optional<int> selected(const std::map<std::int64_t, Experiment::Place>& places,
                              const std::map<std::int64_t, std::string>& states) const;

  std::filesystem::path database_;
  std::string checkpoints_;
  Experiment& experiment_;
  const SharedFolder& folder_;
  // At the last check, of each trial.
  std::map<std::int64_t, int> epochs_;
  std::map<std::int64_t, TrialTruth*> truths_;
  std::set<std::string> removed_before_;  // folders, when a trial was taken back
};

}  // namespace windrow::simulation
