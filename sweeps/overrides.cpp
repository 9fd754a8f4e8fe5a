#include <algorithm>
#include <stdexcept>

#include "protocol/nearest.h"
#include "sweeps/stages.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

// What --set can change: parameters with one value, and seeds.
std::vector<std::string> settable(const StudySource& source) {
  std::vector<std::string> names = {"seeds"};
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  if (source.task)
    for (const ParameterSpec& spec : source.task->parameters) add(spec.name);
  for (const auto& [name, place] : source.fixed) add(name);
  for (const StageSource& stage : source.stages)
    for (const auto& [name, place] : stage.fixed) add(name);
  return names;
}

// The line in which a grid, a case or another stage varies the parameter; 0: none does.
int swept_line(const StudySource& source, const std::string& key) {
  for (const StageSource& stage : source.stages)
    if (const auto found = stage.swept.find(key); found != stage.swept.end())
      return found->second.line;
  return 0;
}

// A value as in a file, but for a comment, which a command line has not: "a#b" and "a #b" arrive
// whole.
YamlNode parse_override(const std::string& text) {
  const bool plain =
      !text.empty() && std::string_view("\"'[{&*!|>").find(text[0]) == std::string_view::npos;
  if (plain && text.find('#') != std::string::npos)
    return {.kind = YamlNode::Kind::scalar, .text = text, .quoted = true};
  return parse_yaml(text);
}

void apply_override(const Override& change, StudySource& source, Faults& faults) {
  const YamlNode value = parse_override(change.value);
  if (change.key == "seeds") return read_seeds(value, faults, source.study.seeds);
  if (const int line = swept_line(source, change.key)) {
    faults.add({}, change.key,
               "the study sweeps it, in line " + std::to_string(line) +
                   " of the file; edit the values there");
    return;
  }
  const std::vector<std::string> names = settable(source);
  if (std::ranges::find(names, change.key) == names.end()) {
    faults.add({}, change.key,
               "the study has no such parameter to set; " + suggestion(change.key, names));
    return;
  }
  ParameterReader parameters(source.task, true, faults);
  std::optional<Json> read = parameters.value(change.key, value);
  if (!read) return;
  source.study.parameters[change.key] = std::move(*read);
  source.fixed.emplace(change.key, Place{});
  for (std::size_t i = 0; i < source.stages.size(); ++i) {
    source.study.stages[i].parameters.erase(change.key);
    source.stages[i].fixed.erase(change.key);
  }
}

}  // namespace

std::vector<Override> parse_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw std::runtime_error("--set " + text + ": write it as --set key=value");
    overrides.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return overrides;
}

void apply_overrides(const std::vector<Override>& overrides, StudySource& source, Faults& faults) {
  for (const Override& change : overrides) {
    Faults own("--set " + change.key + "=" + change.value);
    try {
      apply_override(change, source, own);
    } catch (const YamlFault& fault) {
      own.add({}, change.key, fault.message);
    }
    faults.add_unplaced(own);
  }
}

}  // namespace windrow::sweeps
