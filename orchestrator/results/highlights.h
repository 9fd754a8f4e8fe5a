// A study in short, while it runs: its best trials and its last failures.
#pragma once

#include <string>

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

struct Highlights {
  std::string metric;           // by which the report compares or sorts; "" = by none
  storage::ResultTable best;    // finished trials, the best first: number, what varies, the metric
  storage::ResultTable failed;  // the last failures for good: trial, kind, host, message
};

// At most `rows` of each. A metric that no trial has yet has no best ones.
Highlights study_highlights(storage::Reader& reader, const sweeps::Study& study, int rows = 5);

// The best one in a line: "loss 0.123, trial 7 x=1 seed=0"; "" = there is none.
std::string best_text(const Highlights& highlights);

}  // namespace windrow
