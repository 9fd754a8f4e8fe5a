#include "sweeps/finding.h"

namespace windrow::sweeps {

const char* to_string(FindingKind kind) {
  constexpr const char* kNames[] = {"best",  "compare", "trend", "rank",
                                    "bound", "order",   "equal", "confused"};
  return kNames[static_cast<std::size_t>(kind)];
}

Json to_json(const Finding& finding) {
  using enum FindingKind;
  const FindingKind kind = finding.kind;
  Json json = {{"claim", finding.claim}, {"kind", to_string(kind)}};
  if (!finding.stage.empty()) json["stage"] = finding.stage;
  if (!finding.metrics.empty()) json["metric"] = finding.metrics;
  if (kind == best || kind == rank)
    json["goal"] = finding.goal == protocol::Goal::minimize ? "min" : "max";
  if (!finding.parameter.empty()) json["parameter"] = finding.parameter;
  if (!finding.values.empty()) json["values"] = finding.values;
  if (finding.higher) json["higher"] = *finding.higher;
  if (finding.lower) json["lower"] = *finding.lower;
  if (kind == trend) json["direction"] = finding.rising ? "rising" : "falling";
  if (!finding.cell.empty()) json["cell"] = finding.cell;
  if (finding.first > 0) json["first"] = finding.first;
  if (finding.last > 0) json["last"] = finding.last;
  if (finding.below) json["below"] = *finding.below;
  if (finding.above) json["above"] = *finding.above;
  for (const ExpectedValue& expected : finding.expected)
    json["expected"].push_back({{"cell", expected.cell}, {"value", expected.value}});
  if (kind == equal) json["tolerance"] = finding.tolerance;
  if (!finding.classes.empty()) json["classes"] = finding.classes;
  return json;
}

}  // namespace windrow::sweeps
