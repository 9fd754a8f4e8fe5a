// The JSON Schema that editors are given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/study.h"
#include "sweeps/study_keys.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

// The schema of a task's parameters, beneath its rule's "then".
Json rule_of(const std::string& task) {
  const Json schema = study_schema();
  for (const Json& rule : schema["allOf"])
    if (rule["if"]["properties"]["task"]["const"] == task) return rule["then"]["properties"];
  return nullptr;
}

// Each "$ref" in the schema, wherever it stands.
void collect_references(const Json& json, std::vector<std::string>& out) {
  if (json.is_object() && json.contains("$ref")) out.push_back(json["$ref"]);
  if (json.is_structured())
    for (const Json& member : json) collect_references(member, out);
}

TEST(Schema, IsDraft202012) {
  EXPECT_EQ(study_schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

TEST(Schema, HasEveryKeyOfEverySectionAndNoOther) {
  const Json schema = study_schema();
  for (const Section section : kSections) {
    const Json& part = section == Section::study ? schema : schema["$defs"][to_string(section)];
    EXPECT_EQ(part["additionalProperties"], false) << to_string(section);
    std::size_t count = 0;
    for (const KeySpec& key : keys_of(section)) {
      EXPECT_EQ(part["properties"][key.name]["description"], key.help) << key.name;
      ++count;
    }
    EXPECT_EQ(part["properties"].size(), count);
  }
}

TEST(Schema, EveryReferenceHasItsDefinition) {
  const Json schema = study_schema();
  std::vector<std::string> references;
  collect_references(schema, references);
  EXPECT_GE(references.size(), 10u);
  for (const std::string& reference : references)
    EXPECT_TRUE(schema.contains(Json::json_pointer(reference.substr(1)))) << reference;
}

TEST(Schema, HasTheTypesAndRangesOfEachTasksParameters) {
  for (const std::string& name : task_names()) {
    const Json rule = rule_of(name);
    for (const ParameterSpec& spec : find_task(name)->parameters) {
      EXPECT_TRUE(rule["parameters"]["properties"].contains(spec.name)) << spec.name;
      EXPECT_TRUE(rule["grid"]["properties"].contains(spec.name)) << spec.name;
    }
    EXPECT_EQ(rule["parameters"]["additionalProperties"], false);
  }
  const Json parameters = rule_of("cifar10")["parameters"]["properties"];
  EXPECT_EQ(parameters["dropout"]["minimum"], 0);
  EXPECT_EQ(parameters["dropout"]["exclusiveMaximum"], 1);
  EXPECT_EQ(parameters["lr"]["exclusiveMinimum"], 0);
  EXPECT_EQ(parameters["lr"]["default"], 0.001);
  EXPECT_EQ(parameters["epochs"]["type"], "integer");
  EXPECT_EQ(parameters["epsilon"]["type"], Json({"number", "null"}));
  EXPECT_EQ(parameters["optimizer"]["enum"],
            Json({"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}));
  EXPECT_EQ(rule_of("cifar10")["grid"]["properties"]["batch"]["items"]["maximum"], 50000);
}

}  // namespace
}  // namespace windrow::sweeps
