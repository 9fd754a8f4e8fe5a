// What a drill's run left behind, and what it says of the fault.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/fault.h"
#include "orchestrator/drill/order.h"

namespace windrow::drill {

struct EpochRow {
  std::int64_t trial = 0, x = 0;
  int epoch = 0, attempt = 0;
  std::string state_hash;
  std::int64_t committed_ms = 0;
};

struct AttemptRow {
  std::int64_t trial = 0;
  int attempt = 0;
  std::string outcome;
  std::int64_t ended_ms = 0;  // 0: it has not
};

struct Record {
  std::optional<Done> done;  // the fault; nullopt: nothing was done
  std::string not_tried;     // why, where it is known
  std::vector<EpochRow> epochs;
  std::vector<AttemptRow> attempts;
  int trials = 0;                 // that the study has
  int finished = 0, failed = 0;   // trials
  int begun = 0;                  // epochs, by their trainers
  int launches = 0;               // of the run
  std::int64_t first_end_ms = 0;  // of the first of them
  std::int64_t recovered_ms = 0;  // where the drill saw it itself
  std::vector<std::string> left;  // processes that outlived the run
  std::string trouble;            // why the drill itself went no further
};

// Of the database: epochs, attempts, finished and failed. Throws storage::StorageError.
void read_database(const std::filesystem::path& database, Record& record);

struct Outcome {
  std::optional<double> noticed_seconds, recovered_seconds;  // after the fault
  int lost_epochs = 0;                                       // trained again
  std::string not_tried;                                     // why; "": it was
  std::vector<std::string> broken;                           // promises; empty: all held
  int launches = 1;
};

Outcome judge(const Fault& fault, const Record& record);

}  // namespace windrow::drill
