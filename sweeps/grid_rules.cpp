#include "sweeps/grid_rules.h"

#include <algorithm>

#include "sweeps/canonical.h"

namespace windrow::sweeps {
namespace {

std::string condition_text(const Json& condition) {
  std::string text;
  for (const auto& [key, values] : condition.items()) {
    text += (text.empty() ? "" : ", ") + key + ": ";
    const auto word = [](const Json& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    if (values.size() == 1) {
      text += word(values.front());
      continue;
    }
    std::string list;
    for (const Json& value : values) list += (list.empty() ? "" : ", ") + word(value);
    text += "[" + list + "]";
  }
  return "{" + text + "}";
}

}  // namespace

// A parameter that isn't there has the task's default; without a task, no value at all.
bool GridRules::fits(const Json& combination, const Json& condition) const {
  return std::ranges::all_of(condition.items(), [&](const auto& item) {
    const auto given = combination.find(item.key());
    const Json* value = given == combination.end() ? nullptr : &*given;
    if (!value && task_) {
      const ParameterSpec* spec = task_->find(item.key());
      if (spec && spec->default_value) value = &*spec->default_value;
    }
    return value && std::ranges::any_of(item.value(), [&](const Json& wanted) {
             return wanted == *value || canonical(wanted) == canonical(*value);
           });
  });
}

// What is taken out may be what another parameter hangs on.
std::optional<std::size_t> GridRules::apply_when(Json& combination) const {
  std::optional<std::size_t> first;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < stage_.when.size(); ++i) {
      const Condition& rule = stage_.when[i];
      if (!combination.contains(rule.parameter) || fits(combination, rule.values)) continue;
      combination.erase(rule.parameter);
      if (!first) first = i;
      changed = true;
    }
  }
  return first;
}

std::optional<std::size_t> GridRules::excluded_by(const Json& combination) const {
  for (std::size_t i = 0; i < stage_.exclude.size(); ++i)
    if (fits(combination, stage_.exclude[i])) return i;
  return std::nullopt;
}

std::string exclude_text(const Json& condition) {
  return "exclude " + condition_text(condition);
}

std::string when_text(const Condition& rule) {
  return "when " + rule.parameter + ": " + condition_text(rule.values);
}

}  // namespace windrow::sweeps
