// A study's results as plain values, cell by cell: what findings and comparisons are computed from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/analysis/statistics.h"
#include "sweeps/study.h"

namespace windrow::analysis {

// The artefact "confusion" of a trial.
struct Confusion {
  std::vector<std::string> classes;
  std::vector<std::vector<double>> counts;  // [true class][predicted class], images
};

struct TrialResult {
  std::int64_t seed = 0;
  enum class State { open, finished, failed } state = State::open;  // open: new, pending, running
  std::string failure;                                              // kind, of a failed one
  std::map<std::string, double> metrics;  // of a finished one; what is NaN is absent
  std::optional<Confusion> confusion;
};

struct CellResult {
  std::string hash;
  sweeps::Json parameters;
  std::vector<std::string> stages;
  std::vector<TrialResult> trials;  // one for each seed of the study
};

struct StudyResults {
  std::vector<CellResult> cells;                           // in grid order
  std::vector<std::string> varying;                        // parameters that tell cells apart
  std::map<std::string, sweeps::StageState> unexpanded{};  // stages without cells, yet or ever
};

// Why a cell has no value for a metric; `none` where it has one.
enum class Gap {
  none,
  open,      // a trial is not over
  nan,       // none finished, and a loss that became NaN is why
  failed,    // none finished, for another reason
  no_number  // finished, but none has a number for it
};

struct MetricOfCell {
  BySeed values;
  Gap gap = Gap::none;
  std::string note;  // what is missing, in words: "1 of 3 failed: nan"; "" = nothing
};

// The values over the finished seeds; a failed seed is never one of them, and is in `note`.
MetricOfCell metric_of(const CellResult& cell, const std::string& metric);

int failed_seeds(const CellResult& cell);
// Finished ones that have no number for the metric.
int seeds_without(const CellResult& cell, const std::string& metric);
std::string failure_kinds(const CellResult& cell);  // "crash, nan"
// "1 of 3 failed: nan"; "" where none did.
std::string failures_of(const CellResult& cell);

// Whether the cell has each of these parameters with that value.
bool matches(const CellResult& cell, const sweeps::Json& parameters);

// For people: "optimizer=adam dropout=0.25", without the parameter `except`.
std::string name_of(const CellResult& cell, const std::vector<std::string>& varying,
                    const std::string& except = "");

// Of the parameters that vary, in their order, the first so many that tell all cells apart: what
// names them. All of them, where that isn't enough.
std::vector<std::string> telling_parameters(const std::vector<CellResult>& cells,
                                            const std::vector<std::string>& varying);

// A string as it is, other values as JSON.
std::string text_of(const sweeps::Json& value);

}  // namespace windrow::analysis
