// What a run of a study would do: its cells and trials joined with what a database holds already.
// Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/scheduler/scheduler.h"
#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

struct PlannedCell {
  const sweeps::Cell* cell = nullptr;
  int unknown = 0;  // trials that the database doesn't hold
  int begun = 0;    // pending or running with committed epochs: a run goes on with them
  int pending = 0;  // held, without epochs
  int finished = 0;
  int failed = 0;
};

struct StudyPlan {
  sweeps::Expansion expansion;
  std::vector<PlannedCell> cells;  // as expansion.cells
  std::int64_t raised = 0;         // finished trials that go on, since their budget was raised
  std::int64_t cut = 0;            // begun ones that end earlier, since it was lowered
  std::int64_t left_trials = 0;    // in the database, but no longer in the study; they stay
  std::vector<scheduler::TrialSpec> to_run;  // trials that are not over
  bool measured = false;  // some trial has measured seconds per epoch; else to_run knows none
};

// `reader`: null where there is no database yet.
StudyPlan plan_study(const sweeps::Study& study, storage::Reader* reader,
                     scheduler::Order order = scheduler::Order::longest);

}  // namespace windrow
