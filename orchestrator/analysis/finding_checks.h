// The checks of each kind of finding. Internal to analysis/.
#pragma once

#include "orchestrator/analysis/findings.h"

namespace windrow::analysis {

// A cell with a metric of it.
struct Measured {
  const CellResult* cell = nullptr;
  std::string name;
  MetricOfCell metric;
  std::optional<double> mean;  // where there is no gap
};

// What a kind is told: the cells that the finding looks at, measured by one of its metrics.
struct Subject {
  const sweeps::Finding& finding;
  const StudyResults& results;
  std::string metric;
  std::vector<Measured> cells;

  std::vector<const Measured*> matching(const sweeps::Json& parameters) const;
};

Subject measure(const sweeps::Finding& finding, const StudyResults& results,
                const std::string& metric);

// A check whose answer isn't known, because of `why`.
Check unknown(std::string what, const std::string& metric, std::string why, bool open = false);

// Why a cell has no value, for a check that needs it.
Check missing(std::string what, const std::string& metric, const Measured& cell);

// A comparison of two means, with the paired difference: `holds` is left to the caller.
Check comparison(std::string what, const Subject& subject, const Measured& a, const Measured& b);

// finding_places.cpp: where cells stand in the ranking by a metric
std::vector<Check> check_best(const Subject& subject);
std::vector<Check> check_rank(const Subject& subject);

// finding_relations.cpp: which of several means is higher
std::vector<Check> check_compare(const Subject& subject);
std::vector<Check> check_trend(const Subject& subject);
std::vector<Check> check_order(const Subject& subject);

// finding_values.cpp: numbers by themselves
std::vector<Check> check_bound(const Subject& subject);
std::vector<Check> check_equal(const Subject& subject);
std::vector<Check> check_confused(const sweeps::Finding& finding, const StudyResults& results);

}  // namespace windrow::analysis
