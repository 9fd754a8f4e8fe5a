#include "protocol/metric_values.h"

#include <cmath>
#include <limits>

#include "protocol/lenient_json.h"
#include "protocol/text.h"

namespace windrow::protocol {
namespace {

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<double> read_number(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number()) return finite(value.get<double>());
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) throw NoNumber{};
  Json inner;
  try {
    inner = read_lenient_json(value.get_ref<const std::string&>());
  } catch (const LenientJsonFault&) {
    throw NoNumber{};
  }
  if (inner.is_null()) return std::nullopt;
  if (!inner.is_number()) throw NoNumber{};
  return finite(inner.get<double>());
}

double seconds_of(const Json& value) {
  try {
    const auto seconds = read_number(value);
    return seconds && *seconds > 0 ? *seconds : 0;
  } catch (const NoNumber&) {
    return 0;
  }
}

void MetricValues::add(const std::string& name, const Json& value) {
  const auto leave_out = [&](const std::string& why) {
    if (left_out.empty()) left_out = "the metric " + quote(name) + " is left out: " + why;
  };
  if (const std::string fault = name_fault(name); !fault.empty()) {
    leave_out("of its name, " + fault);
  } else if (value.is_object()) {
    for (const auto& [inner, one] : value.items()) add(name + "." + inner, one);
  } else if (value.is_array()) {
    leave_out("a list is no number");
  } else {
    try {
      metrics[name] = read_number(value).value_or(std::numeric_limits<double>::quiet_NaN());
    } catch (const NoNumber&) {  // a note
    }
  }
}

}  // namespace windrow::protocol
