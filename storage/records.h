// What the coordinator hands to storage and gets back from it: plain values, no SQLite.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/messages.h"
#include "storage/trial_state.h"

namespace windrow::storage {

using protocol::Json;

struct CellRecord {
  std::string hash;
  Json parameters;                  // complete
  std::vector<std::string> stages;  // of this study, in order
  std::vector<int> places = {};     // in the grid of each; empty: the cell's place among all
};

struct StudyRecord {
  std::string name;  // the study's identity in the database
  std::string text;  // effective YAML
  std::string hash;
  std::string watched_metric = {};  // of early stopping, whose history is wanted; "" = none
  bool stops_early = false;         // what has fewer epochs than its budget is over all the same
  std::string budget = {};          // the parameter that may change; "" = there is none
  std::function<std::string(const Json& parameters)> cell_hash = {};  // wanted where it may
};

// A failure of a kind that may be the machine's, since which nothing did well on that host and the
// trial failed on no other one: whose fault it was is still to be seen.
struct UnexplainedFailure {
  int attempt = 0;
  protocol::FailureKind kind = protocol::FailureKind::crash;
  std::string host;
};

// A trial as the database knows it when a run begins.
struct StoredTrial {
  TrialId id;
  std::string cell;  // hash
  std::int64_t seed = 0;
  TrialState state =
      TrialState::pending;        // what a dead run left running is made pending; `running`
                                  // is only seen when reconcile() is called during a run
  int attempts = 0;               // the highest attempt number used so far
  int committed_epochs = 0;       // the last epoch that is durable; 0 = none
  double mean_epoch_seconds = 0;  // over its committed epochs; 0 = none yet
  // Likewise of the epochs that several slots trained together, by their number; these don't count
  // above.
  std::map<int, double> gang_epoch_seconds;
  std::optional<protocol::FailureKind> failure;           // of a failed trial
  std::map<protocol::FailureKind, int> failures_by_kind;  // that count, over all its attempts
  std::vector<UnexplainedFailure> unexplained;            // of those, where the trial is not over
  int raised_from = 0;   // just now: it had finished all epochs of this budget, and goes on
  bool is_cut = false;   // just now: it had begun with a greater budget, and ends earlier
  int redone = 0;        // how often it was taken back to be trained anew
  int stopped_runs = 0;  // in which it failed and which were stopped since everything did
  std::vector<protocol::Watched> watched;  // the watched metric of its committed epochs
};

// ---- what happens during a run, in the order in which it must be applied
struct AttemptBegan {
  TrialId trial;
  int attempt = 1;
  std::string host;
  int rank = 0;
  std::vector<SlotId> slots;
  std::string device;
  Json versions;
  Json info;  // facts of the trial from the trainer's `started`, for example parameters: 21001;
              // numbers among them become columns of the `trials` view
  int resumed_from_epoch = 0;
  std::string device_kind;  // what computes: "cpu" or the GPU's name; "" = not known
  std::string precision;    // "" = not known
  std::string program;      // ProgramRecord's hash; "" = not known
};
struct EpochDone {
  protocol::Epoch epoch;
};
struct AttemptFinished {  // finished.result_epoch names the result where there is no result; the
                          // trial is finished with it; epochs beyond finished.epochs, which an
                          // earlier attempt may have left, are removed
  protocol::Finished finished;
  int unread_lines = 0;
  std::optional<protocol::Usage> usage = {};
};
struct AttemptFailed {
  TrialId trial;
  int attempt = 1;
  bool began = true;  // false: it failed before `started`, AttemptBegan was not recorded
  protocol::FailureKind kind{};
  std::string message;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string host;
  int rank = 0;
  std::optional<SlotId> slot;
  std::string stderr_tail;
  int unread_lines = 0;
  std::optional<protocol::Usage> usage = {};
  bool final = false;  // the trial is failed with it; otherwise it is pending again
};
struct FailureForgiven {  // it counts no longer: the machine was to blame
  TrialId trial;
  int attempt = 1;
  bool run_stopped = false;  // with the whole run, since everything failed alike
};
struct TrialFailed {  // for good: no retry is left
  TrialId trial;
  protocol::FailureKind kind{};
};
struct Event {  // audit trail: run begins, agent joined or lost, slot drained, ...
  std::string kind;
  std::string text;
};
struct SlotRecord {
  SlotId slot;
  std::string host;
  int rank = 0;
  std::string device;
  int threads = 1;
  protocol::BatchJob job = {};
};
struct ProgramRecord {
  protocol::Program program;
};
// The folder of the program's code under version control, when attempts that begin now began.
struct SourceRecord {
  std::string commit;  // "" = none is known
  bool dirty = false;  // it has changes that are not committed
  std::string diff;    // those, its length bounded
};
struct EnvironmentRecord {  // of these slots
  std::vector<SlotId> slots;
  Json facts;
};
struct RunFacts {           // of this session
  std::string checkpoints;  // folder of this database's trials and logs; "" = none is kept
};
struct StopAsked {  // by `windrow stop`: a batch job is not to come back
  std::string by;
};
using Record = std::variant<AttemptBegan, EpochDone, AttemptFinished, AttemptFailed,
                            FailureForgiven, TrialFailed, Event, SlotRecord, RunFacts, StopAsked,
                            ProgramRecord, SourceRecord, EnvironmentRecord>;

}  // namespace windrow::storage
