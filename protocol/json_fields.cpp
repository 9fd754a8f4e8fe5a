#include "protocol/json_fields.h"

#include <array>
#include <cmath>
#include <limits>

#include "protocol/metric_values.h"
#include "protocol/text.h"

namespace windrow::protocol::fields {

void wrong_type(const std::string& key, const char* expected, const Json& got) {
  const std::string value = got.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string_view begin = cut_utf8(value, 60);
  throw ProtocolError(key + ": " + expected + " is needed, got " + std::string(begin) +
                      (begin.size() < value.size() ? "..." : ""));
}

namespace {

// An enum whose names are listed in the order of its values.
template <class Enum, std::size_t N>
void read_name(const Json& json, Enum& value, const std::string& key,
               const std::array<std::string_view, N>& names) {
  std::string expected = "one of";
  for (std::size_t i = 0; i < N; ++i) {
    if (json.is_string() && json.get_ref<const std::string&>() == names[i]) {
      value = static_cast<Enum>(i);
      return;
    }
    expected += (i == 0 ? " " : ", ") + std::string(names[i]);
  }
  wrong_type(key, expected.c_str(), json);
}

}  // namespace

void read_scalar(const Json& json, std::string& value, const std::string& key) {
  if (!json.is_string()) wrong_type(key, "a string", json);
  value = json.get_ref<const std::string&>();
}
void read_scalar(const Json& json, bool& value, const std::string& key) {
  if (!json.is_boolean()) wrong_type(key, "true or false", json);
  value = json.get<bool>();
}
void read_scalar(const Json& json, std::int64_t& value, const std::string& key) {
  constexpr double kLargest = 9007199254740992;  // 2^53
  if (json.is_number_integer()) {
    value = json.get<std::int64_t>();
    return;
  }
  // 1.0 and "1", as other languages write whole numbers.
  std::optional<double> number;
  try {
    if (!json.is_boolean()) number = read_number(json);
  } catch (const NoNumber&) {
  }
  if (!number || *number != std::floor(*number) || std::abs(*number) > kLargest)
    wrong_type(key, "an integer", json);
  value = static_cast<std::int64_t>(*number);
}
void read_scalar(const Json& json, int& value, const std::string& key) {
  std::int64_t wide = 0;
  read_scalar(json, wide, key);
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
    wrong_type(key, "an integer of 32 bits", json);
  value = static_cast<int>(wide);
}
void read_scalar(const Json& json, double& value, const std::string& key) {
  try {
    if (json.is_boolean()) throw NoNumber{};
    value = read_number(json).value_or(std::nan(""));
  } catch (const NoNumber&) {
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
void read_scalar(const Json& json, TrainerFailure& value, const std::string& key) {
  // What only the orchestrator can know is a crash where a trainer says it.
  if (json == "hang" || json == "node") {
    value = TrainerFailure::crash;
    return;
  }
  read_name(json, value, key, kTrainerFailureNames);
}
void read_scalar(const Json& json, FailureKind& value, const std::string& key) {
  read_name(json, value, key, kFailureKindNames);
}
void read_scalar(const Json& json, Reached& value, const std::string& key) {
  read_name(json, value, key, kReachedNames);
}
void read_scalar(const Json& json, Arguments& value, const std::string& key) {
  read_name(json, value, key, kArgumentsNames);
}
void read_scalar(const Json& json, Metrics& value, const std::string& key) {
  if (!json.is_object()) wrong_type(key, "an object of numbers", json);
  for (const auto& [name, number] : json.items()) {
    if (const std::string fault = name_fault(name); !fault.empty())
      throw ProtocolError(key + ": the name \"" + quote(name) + "\" can't be taken: " + fault);
    read_scalar(number, value[name], key + "." + name);
  }
}
void read_scalar(const Json& json, Json& value, const std::string& key) {
  if (!json.is_object()) wrong_type(key, "an object", json);
  value = json;
}

}  // namespace windrow::protocol::fields
