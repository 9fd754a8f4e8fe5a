// A study of the simulated world, and the truth about its trials: what each must give, whatever
// happens on the way.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/failure.h"
#include "sweeps/study.h"
#include "tests/simulation/world.h"

namespace windrow::simulation {

// Something that befalls a trial's process once, in this epoch: no fault of the trial's.
struct Trouble {
  enum class Kind {
    crash,     // it dies
    hang,      // it says nothing more
    garbage,   // it breaks the line protocol
    children,  // it dies, and what it started lives on for a while
    damage,    // its newest checkpoint is lost, and it dies
  };
  Kind kind{};
  int epoch = 1;
};
std::string to_string(Trouble::Kind kind);

struct TrialTruth {
  std::uint64_t key = 0;                 // no other trial of the world has it
  int epochs = 1;                        // the study's
  std::vector<int> earlier_epochs = {};  // before somebody raised them
  double epoch_seconds = 1;
  std::optional<protocol::FailureKind> fails;  // always, by itself
  int fails_in = 1;                            // this epoch
  // What befalls it beside what its machine does to it would look like its own fault: one or other.
  std::vector<Trouble> troubles;
  bool had_trouble = false;
  bool may_be_cancelled = false;  // somebody wanted it to be

  double loss(int epoch) const;
  // What training has after the epoch: a chain, from the key on, which no epoch may be missing in.
  std::uint64_t state(int epoch) const;
  static std::uint64_t next_state(std::uint64_t state, int epoch);
  static double reported(std::uint64_t state) { return static_cast<double>(state >> 12); }
};

struct ExperimentWishes {
  int number = 1;  // of the world's studies
  bool persistent = true;
  bool gangs = false;   // a shipped task, of which several slots may train a trial
  bool stages = false;  // a second stage takes the best x of the first one through two values of y
  bool troubles = false, failing_trials = false, early_stopping = false, keeps_checkpoints = false;
};

class Experiment {
 public:
  Experiment(const ExperimentWishes& wishes, Random& random);

  const sweeps::Study& study() const { return study_; }
  // Somebody adds a value or a seed to the study, takes one out, or lets it train for longer.
  // Returns what, in words.
  std::string edit(Random& random);
  bool persistent() const { return study_.trainer.persistent; }
  // The world's number of its study, from the parameters that a trainer gets.
  static std::string number_of(const nlohmann::json& parameters);
  const char* x_parameter() const { return study_.task.empty() ? "x" : "width"; }
  // By its parameters, as a trainer gets them.
  TrialTruth& trial(const nlohmann::json& parameters, std::int64_t seed);

  // Where a trial stands: y is 0 in the first stage, and where there are none.
  struct Place {
    int x = 0, y = 0;
    std::int64_t seed = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  TrialTruth& trial(const Place& place) { return trials_.at(place); }
  // Whether the study has the trial as it is now; of the second stage, if that takes this x.
  bool has(const Place& place) const;
  bool has_stages() const { return wishes_.stages; }

  // What the database must say of a trial in the end.
  struct Expected {
    std::optional<protocol::FailureKind> failure;  // nullopt: it finishes
    int epochs = 0;
    int result_epoch = 0;
  };
  Expected expected(const TrialTruth& trial, int epochs) const;  // with so many as its budget

  // Trials of the study as it is now: of its first stage, and of the second one.
  std::size_t size() const { return xs_.size() * seeds_.size(); }
  std::size_t size_of_second() const { return wishes_.stages ? 2 * seeds_.size() : 0; }

 private:
  void write_study();
  void plan_trial(const Place& place, Random& random);
  void plan_trials(Random& random);                      // of the study as it is now
  int first_x() const { return wishes_.gangs ? 1 : 0; }  // which never fails by itself

  ExperimentWishes wishes_;
  int epochs_ = 1, shards_ = 1;
  double pace_ = 1;
  std::vector<int> xs_, seeds_;
  sweeps::Study study_;
  // Also those that the study has no longer.
  std::map<Place, TrialTruth> trials_;
};

}  // namespace windrow::simulation
