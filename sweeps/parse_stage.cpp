#include <algorithm>

#include "protocol/nearest.h"
#include "sweeps/canonical.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kGridExample =
    "parameters with lists of values, for example {lr: [0.1, 0.01]}";
constexpr const char* kCasesExample =
    "a list of maps, for example [{lr: 0.1, depth: 2}, {lr: 0.01, depth: 3}]";

void read_grid(const YamlNode& node, ParameterReader& parameters, Faults& faults, Stage& stage,
               StageSource& source) {
  if (!for_each_entry(node, "grid", kGridExample, faults, [&](const YamlEntry& entry) {
        source.swept.emplace(entry.key.text, entry.key.place);
        if (parameters.name(entry.key)) read_axis(entry, parameters, faults, stage.grid);
      }))
    return;
  if (node.entries.empty())
    faults.add(node.place, "grid", "it is empty; give " + std::string(kGridExample));
}

void read_case(const YamlNode& node, ParameterReader& parameters, Faults& faults, Stage& stage,
               StageSource& source) {
  Json values = Json::object();
  Places places;
  parameters.map(node, "cases", values, places);
  if (node.kind == YamlNode::Kind::map && node.entries.empty())
    faults.add(node.place, "cases", "this case is empty; give parameters or remove it");
  for (const YamlEntry& entry : node.entries) {
    const std::string& key = entry.key.text;
    if (!places.contains(key)) continue;
    if (std::ranges::find(stage.case_keys, key) == stage.case_keys.end()) {
      stage.case_keys.push_back(key);
      if (const auto axis = source.swept.find(key); axis != source.swept.end())
        faults.add(places[key], key,
                   "the grid sweeps it too, in line " + std::to_string(axis->second.line) +
                       "; keep one of the two");
      source.swept.emplace(key, places[key]);
    }
  }
  if (values.size() != node.entries.size()) source.has_bad_case = true;
  stage.cases.push_back(std::move(values));
  source.cases.push_back(node.place);
}

void read_cases(const YamlNode& node, ParameterReader& parameters, Faults& faults, Stage& stage,
                StageSource& source) {
  if (node.kind != YamlNode::Kind::sequence)
    faults.add(node.place, "cases", describe(node) + " is no list; give " + kCasesExample);
  else if (node.items.empty())
    faults.add(node.place, "cases", std::string("it is empty; give ") + kCasesExample);
  for (const YamlNode& item : node.items) read_case(item, parameters, faults, stage, source);
}

// Only the machine's failures: nan, oom and spec are properties of a cell, and no reason to wait.
void read_despite(const YamlNode& node, Faults& faults, Selection& best) {
  const std::vector<std::string> kinds = {"crash", "cuda", "hang", "data", "node"};
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    faults.add(node.place, "despite",
               describe(node) + " is no list of kinds of failure; give some of " + joined(kinds));
    return;
  }
  for (const YamlNode& item : node.items) {
    const auto name = read_text(item, "despite", faults);
    if (!name) continue;
    if (std::ranges::find(kinds, *name) == kinds.end()) {
      faults.add(
          item.place, "despite",
          Json(*name).dump() + " is no failure of the machine's; " + suggestion(*name, kinds));
      continue;
    }
    best.despite.push_back(*protocol::failure_kind(*name));
  }
}

}  // namespace

// `repeated`: a value may stand in the list more than once.
void read_axis(const YamlEntry& entry, ParameterReader& parameters, Faults& faults,
               std::vector<GridAxis>& grid, bool repeated) {
  const std::string& key = entry.key.text;
  if (entry.value.kind != YamlNode::Kind::sequence) {
    faults.add(entry.value.place, key,
               describe(entry.value) + " is no list of values; give one, for example [" +
                   (entry.value.kind == YamlNode::Kind::scalar ? entry.value.text : "0.1, 0.2") +
                   "]");
    return;
  }
  if (entry.value.items.empty()) {
    faults.add(entry.value.place, key, "its list of values is empty; give at least one value");
    return;
  }
  GridAxis axis{key, {}};
  Places seen;  // canonical value -> where
  for (const YamlNode& item : entry.value.items) {
    std::optional<Json> value = parameters.value(key, item);
    if (!value) continue;
    const auto [first, is_new] = seen.emplace(canonical(*value), item.place);
    if (is_new || repeated)
      axis.second.push_back(std::move(*value));
    else
      faults.add(item.place, key, value->dump() + " stands twice in its list; remove one");
  }
  grid.push_back(std::move(axis));
}

void read_selection(const YamlNode& node, Faults& faults, Selection& best, StageSource& source) {
  const SectionReader reader(node, Section::best, "best", faults);
  source.best = node.place;
  if (!reader.is_map()) return;
  reader.integer("count", 1, 2147483647, best.count);
  reader.text("of", best.of);
  reader.text("by", best.by);
  reader.goal("goal", best.goal);
  const auto place = [&](const char* key) {
    const YamlNode* value = reader.find(key);
    return value ? value->place : node.place;
  };
  source.count = place("count");
  source.of = place("of");
  source.by = place("by");
  if (const YamlNode* despite = reader.find("despite")) read_despite(*despite, faults, best);
  const YamlNode* take = reader.find("take");
  if (!take) return;
  if (take->kind != YamlNode::Kind::sequence || take->items.empty()) {
    faults.add(take->place, "take",
               (take->kind == YamlNode::Kind::sequence ? "an empty list takes nothing"
                                                       : describe(*take) + " is no list") +
                   "; give names of parameters, for example [lr], or remove the key to take all");
    return;
  }
  for (const YamlNode& item : take->items) {
    const auto name = read_text(item, "take", faults);
    if (!name) continue;
    if (std::ranges::find(best.take, *name) != best.take.end()) {
      faults.add(item.place, "take", Json(*name).dump() + " stands twice in the list; remove one");
      continue;
    }
    best.take.push_back(*name);
    source.take.push_back(item.place);
  }
}

void read_stage(const SectionReader& reader, ParameterReader& parameters, Faults& faults,
                Stage& stage, StageSource& source) {
  if (const YamlNode* grid = reader.find("grid"))
    read_grid(*grid, parameters, faults, stage, source);
  if (const YamlNode* cases = reader.find("cases"))
    read_cases(*cases, parameters, faults, stage, source);
  read_rules(reader, parameters, faults, stage, source);
}

}  // namespace windrow::sweeps
