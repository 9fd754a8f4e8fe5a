// The findings that a study file declares, checked against results. Pure: no database, no output.
//
// A finding is a conjunction of checks, one for each metric and cell (or pair, or group of cells)
// that it speaks of. A check holds or not by the means over the finished seeds; where there are
// several seeds, the paired difference with its interval says how far chance could explain it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/analysis/results.h"
#include "storage/result_table.h"

namespace windrow::analysis {

struct Check {
  std::string what;               // the cell, pair or group, for people
  std::string metric;             // "" for kind confused
  std::optional<bool> holds;      // nullopt: not known; `note` says why
  bool open = false;              // not known because trials are not over
  std::optional<double> value;    // mean of the metric
  std::optional<double> against;  // what it is held against: another mean, a bound, a number
  Estimate difference = {};       // value - against over the shared seeds (n = 0: none)
  std::optional<double> p_holm;   // its p, adjusted for the finding's other checks
  std::string note;
};

enum class Verdict {
  holds,
  fails,    // no check holds
  partly,   // some do
  unknown,  // what is known holds, but something isn't known
};

struct FindingResult {
  std::string claim;
  sweeps::FindingKind kind{};
  Verdict verdict = Verdict::unknown;
  std::string text;  // "holds in 3 of 5; ..."
  int held = 0, known = 0;
  std::vector<Check> checks;
};

FindingResult check_finding(const sweeps::Finding& finding, const StudyResults& results);

// Those of the study's report, in its order.
std::vector<FindingResult> check_findings(const sweeps::Study& study, const StudyResults& results);

// "holds", "fails", "partly", "unknown".
const char* to_string(Verdict verdict);

// A check as a line of evidence: "yes  optimizer=adam: train_loss 0.31 against 0.12, difference
// 0.19 ± 0.02 (n = 3, p = 0.004)".
std::string evidence_of(const Check& check);

// A row a check: what, metric, holds, value, against, difference, ci95, n, p, p_holm, note.
storage::ResultTable evidence_table(const FindingResult& finding);

}  // namespace windrow::analysis
