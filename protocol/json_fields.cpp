#include "protocol/json_fields.h"

#include <cmath>
#include <limits>

namespace windrow::protocol::fields {

void wrong_type(const std::string& key, const char* expected, const Json& got) {
  std::string value = got.dump();
  if (value.size() > 60) value = value.substr(0, 57) + "...";
  throw ProtocolError(key + ": " + expected + " is needed, got " + value);
}

void read_scalar(const Json& json, std::string& value, const std::string& key) {
  if (!json.is_string()) wrong_type(key, "a string", json);
  value = json.get_ref<const std::string&>();
}
void read_scalar(const Json& json, bool& value, const std::string& key) {
  if (!json.is_boolean()) wrong_type(key, "true or false", json);
  value = json.get<bool>();
}
void read_scalar(const Json& json, std::int64_t& value, const std::string& key) {
  if (!json.is_number_integer()) wrong_type(key, "an integer", json);
  value = json.get<std::int64_t>();
}
void read_scalar(const Json& json, int& value, const std::string& key) {
  std::int64_t wide = 0;
  read_scalar(json, wide, key);
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
    wrong_type(key, "an integer of 32 bits", json);
  value = static_cast<int>(wide);
}
void read_scalar(const Json& json, double& value, const std::string& key) {
  if (json.is_null()) {
    value = std::nan("");
  } else if (json.is_number()) {
    value = json.get<double>();
  } else {
    wrong_type(key, "a number or null", json);
  }
}
void read_scalar(const Json& json, Goal& value, const std::string& key) {
  if (json == "min") {
    value = Goal::minimize;
  } else if (json == "max") {
    value = Goal::maximize;
  } else {
    wrong_type(key, "\"min\" or \"max\"", json);
  }
}
void read_scalar(const Json& json, FailureKind& value, const std::string& key) {
  const auto kind =
      json.is_string() ? failure_kind(json.get_ref<const std::string&>()) : std::nullopt;
  if (!kind)
    wrong_type(key, "one of nan, oom, cuda, hang, crash, node, preempted, data, spec", json);
  value = *kind;
}
void read_scalar(const Json& json, Metrics& value, const std::string& key) {
  if (!json.is_object()) wrong_type(key, "an object of numbers", json);
  for (const auto& [name, number] : json.items())
    read_scalar(number, value[name], key + "." + name);
}
void read_scalar(const Json& json, Json& value, const std::string& key) {
  if (!json.is_object()) wrong_type(key, "an object", json);
  value = json;
}

}  // namespace windrow::protocol::fields
