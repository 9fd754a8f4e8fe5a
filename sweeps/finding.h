// A declared claim about a study's results (report.findings), which `windrow findings` checks
// against the database. Each kind has its own keys; docs/study-file.md says what each asserts.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "protocol/early_stopping.h"
#include "protocol/messages.h"

namespace windrow::sweeps {

using protocol::Json;

enum class FindingKind { best, compare, trend, rank, bound, order, equal, confused };

struct ExpectedValue {
  Json cell;  // parameters that pick the cell out
  double value = 0;
};

// Members that a kind has no key for keep their defaults.
struct Finding {
  std::string claim;  // in words, for people
  FindingKind kind = FindingKind::best;
  std::string stage;                 // whose cells are looked at; "" = all
  std::vector<std::string> metrics;  // the claim is checked for each
  protocol::Goal goal = protocol::Goal::minimize;
  std::string parameter;
  std::vector<Json> values;    // of the parameter
  std::optional<Json> higher;  // of the parameter: where the metric is the higher one,
  std::optional<Json> lower;   // and where it is the lower one
  bool rising = true;          // direction of a trend
  Json cell = Json::object();  // parameters that pick cells out
  int first = 0, last = 0;     // places; 0 = not given
  std::optional<double> below, above;
  std::vector<ExpectedValue> expected;
  double tolerance = 0;              // largest absolute difference that counts as equal
  std::vector<std::string> classes;  // two
};

// "best", "compare", ...
const char* to_string(FindingKind kind);

// With the keys of the study file that its kind has: read as YAML, it gives the finding again.
Json to_json(const Finding& finding);

}  // namespace windrow::sweeps
