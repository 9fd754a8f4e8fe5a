// The study file's JSON Schema, made of the tables that the parser uses.
#include <algorithm>

#include "sweeps/study.h"
#include "sweeps/study_keys.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

Json section_schema(Section section) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}};
  Json& properties = schema["properties"] = Json::object();
  Json required = Json::array();
  for (const KeySpec& key : keys_of(section)) {
    properties[key.name] = Json::parse(key.schema);
    properties[key.name]["description"] = key.help;
    if (key.required) required.push_back(key.name);
  }
  if (!required.empty()) schema["required"] = required;
  return schema;
}

const char* type_name(ParameterType type) {
  switch (type) {
    case ParameterType::integer:
      return "integer";
    case ParameterType::number:
      return "number";
    case ParameterType::boolean:
      return "boolean";
    case ParameterType::string:
      break;
  }
  return "string";
}

Json value_schema(const ParameterSpec& spec) {
  Json schema = {{"description", spec.help}};
  if (!spec.choices.empty()) {
    schema["enum"] = spec.choices;
  } else {
    schema["type"] = type_name(spec.type);
    if (spec.default_value && spec.default_value->is_null())
      schema["type"] = {type_name(spec.type), "null"};
  }
  const auto bound = [&](const std::optional<double>& value, bool exclusive, const char* plain,
                         const char* strict) {
    if (!value) return;
    Json& place = schema[exclusive ? strict : plain];
    if (spec.type == ParameterType::integer)
      place = static_cast<std::int64_t>(*value);
    else
      place = *value;
  };
  bound(spec.minimum, spec.exclusive_minimum, "minimum", "exclusiveMinimum");
  bound(spec.maximum, spec.exclusive_maximum, "maximum", "exclusiveMaximum");
  if (spec.default_value) schema["default"] = *spec.default_value;
  return schema;
}

// A map with one value, or with a list of values, for each of the task's parameters.
Json parameters_schema(const TaskSpec& task, bool lists) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}};
  if (lists) schema["minProperties"] = 1;
  for (const ParameterSpec& spec : task.parameters) {
    Json value = value_schema(spec);
    if (lists)
      value = {{"type", "array"}, {"items", value}, {"minItems", 1}, {"uniqueItems", true}};
    schema["properties"][spec.name] = std::move(value);
  }
  return schema;
}

// For the parameters of a program of one's own.
Json any_parameters_schema(bool lists) {
  Json value = {{"type", {"string", "number", "boolean", "null"}}};
  if (lists) value = {{"type", "array"}, {"items", value}, {"minItems", 1}, {"uniqueItems", true}};
  Json schema = {{"type", "object"},
                 {"propertyNames", {{"pattern", kParameterPattern}}},
                 {"additionalProperties", value}};
  if (lists) schema["minProperties"] = 1;
  return schema;
}

// What holds in addition when the study is of this task: its names, types and ranges.
Json task_rules(const TaskSpec& task) {
  const Json values = parameters_schema(task, false);
  const Json cases = {{"items", values}};
  const Json sweep = {
      {"parameters", values}, {"grid", parameters_schema(task, true)}, {"cases", cases}};
  Json top = sweep;
  top["stages"] = {{"additionalProperties", {{"properties", sweep}}}};
  std::vector<std::string> metrics;
  for (const MetricSpec& metric : task.metrics) metrics.push_back(metric.name);
  top["early_stopping"] = {{"properties", {{"metric", {{"enum", metrics}}}}}};
  return {{"if", {{"properties", {{"task", {{"const", task.name}}}}}, {"required", {"task"}}}},
          {"then", {{"properties", top}}}};
}

// What a finding of each kind must have, and must not.
Json finding_rules() {
  Json rules = Json::array();
  for (const FindingKindSpec& spec : finding_kinds()) {
    Json then = {{"required", spec.required}};
    for (const std::string& key : spec.one_of) then["anyOf"].push_back({{"required", {key}}});
    for (const KeySpec& key : keys_of(Section::finding)) {
      const auto has = [&](const std::vector<std::string>& names) {
        return std::ranges::find(names, key.name) != names.end();
      };
      const bool shared = key.name == "claim" || key.name == "kind" || key.name == "stage";
      if (!shared && !has(spec.required) && !has(spec.optional) && !has(spec.one_of))
        then["properties"][key.name] = false;
    }
    rules.push_back(
        {{"if", {{"properties", {{"kind", {{"const", to_string(spec.kind)}}}}}}}, {"then", then}});
  }
  return rules;
}

Json shared_definitions() {
  return {
      {"name", {{"type", "string"}, {"pattern", kNamePattern}}},
      {"task", {{"enum", task_names()}}},
      {"parameters", any_parameters_schema(false)},
      {"grid", any_parameters_schema(true)},
      {"cases", {{"type", "array"}, {"items", {{"$ref", "#/$defs/parameters"}}}, {"minItems", 1}}},
      {"zip",
       {{"oneOf",
         {{{"$ref", "#/$defs/grid"}},
          {{"type", "array"}, {"items", {{"$ref", "#/$defs/grid"}}}, {"minItems", 1}}}}}},
      {"notice",
       {{"oneOf",
         {{{"type", "string"}, {"pattern", "^https?://"}},
          {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}}}}}},
      {"condition",
       {{"type", "object"},
        {"minProperties", 1},
        {"additionalProperties",
         {{"oneOf",
           {{{"type", {"string", "number", "boolean", "null"}}},
            {{"type", "array"},
             {"items", {{"type", {"string", "number", "boolean", "null"}}}},
             {"minItems", 1}}}}}}}},
      {"seeds",
       {{"oneOf",
         {{{"type", "integer"}, {"minimum", 1}, {"maximum", kMaximumSeedCount}},
          {{"type", "array"},
           {"items", {{"type", "integer"}, {"minimum", 0}, {"maximum", kMaximumSeed}}},
           {"minItems", 1},
           {"uniqueItems", true}}}}}},
      {"columns",
       {{"oneOf",
         {{{"type", "array"},
           {"items", {{"oneOf", {{{"type", "string"}}, {{"$ref", "#/$defs/column"}}}}}},
           {"minItems", 1}},
          {{"type", "object"},
           {"additionalProperties", {{"type", "string"}}},
           {"minProperties", 1}}}}}},
      {"names",
       {{"oneOf",
         {{{"type", "string"}},
          {{"type", "array"},
           {"items", {{"type", "string"}}},
           {"minItems", 1},
           {"uniqueItems", true}}}}}},
  };
}

}  // namespace

Json study_schema() {
  Json schema = section_schema(Section::study);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Windrow study file";
  schema["oneOf"] = {{{"required", {"task"}}}, {{"required", {"trainer"}}}};
  for (const char* key : {"grid", "cases", "zip", "when", "exclude"})
    schema["dependentSchemas"]["stages"]["properties"][key] = false;
  Json& definitions = schema["$defs"] = shared_definitions();
  for (const Section section : kSections)
    if (section != Section::study) definitions[to_string(section)] = section_schema(section);
  definitions["finding"]["allOf"] = finding_rules();
  Json& rules = schema["allOf"] = Json::array();
  for (const std::string& name : task_names()) rules.push_back(task_rules(*find_task(name)));
  return schema;
}

}  // namespace windrow::sweeps
