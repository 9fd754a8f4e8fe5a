#include "sweeps/tasks/task_schema.h"

#include <algorithm>
#include <cmath>

#include "protocol/nearest.h"

namespace windrow::sweeps {
namespace {

const char* type_name(const Json& value) {
  if (value.is_number_integer()) return "an integer";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "a boolean";
  if (value.is_string()) return "a string";
  return value.is_array() ? "a list" : "a map";
}

// Bounds are whole numbers or short decimals: without trailing zeros.
std::string bound(double value) {
  return value == std::floor(value) ? std::to_string(static_cast<long long>(value))
                                    : Json(value).dump();
}

std::string bounds(const ParameterSpec& spec) {
  std::string text;
  if (spec.minimum)
    text += (spec.exclusive_minimum ? " greater than " : " of at least ") + bound(*spec.minimum);
  if (spec.maximum && *spec.maximum < 2147483647) {
    if (spec.minimum) text += " and";
    text += (spec.exclusive_maximum ? " less than " : " at most ") + bound(*spec.maximum);
  }
  return text;
}

// "6n + 2"
std::string form(const ParameterSpec& spec) {
  return std::to_string(spec.step) + "n" +
         (spec.remainder == 0 ? "" : " + " + std::to_string(spec.remainder));
}

bool has_form(const ParameterSpec& spec, std::int64_t value) {
  return (value - spec.remainder) % spec.step == 0;
}

// The allowed integers on either side of one that is in range, but hasn't the form.
std::string nearest_of_form(const ParameterSpec& spec, std::int64_t value) {
  const std::int64_t below = value - (value - spec.remainder) % spec.step;
  std::string text;
  for (const std::int64_t candidate : {below, below + spec.step}) {
    const auto number = static_cast<double>(candidate);
    if ((spec.minimum && number < *spec.minimum) || (spec.maximum && number > *spec.maximum))
      continue;
    text += (text.empty() ? "" : " or ") + std::to_string(candidate);
  }
  return text;
}

bool in_range(const ParameterSpec& spec, double value) {
  if (!std::isfinite(value)) return false;
  if (spec.minimum && (spec.exclusive_minimum ? value <= *spec.minimum : value < *spec.minimum))
    return false;
  if (spec.maximum && (spec.exclusive_maximum ? value >= *spec.maximum : value > *spec.maximum))
    return false;
  return true;
}

// The model among `given`, else the default one; "" where there is none that could be used, a fault
// that is reported by itself.
std::string chosen_model(const TaskSpec& task, const Json& given) {
  const ParameterSpec* spec = task.find("model");
  if (!spec) return "";
  const auto found = given.find("model");
  const Json& model = found != given.end()  ? *found
                      : spec->default_value ? *spec->default_value
                                            : Json();
  return model.is_string() ? model.get<std::string>() : "";
}

// The normal form of `value`, or a fault. `spec` is that of `key`.
Json checked(const ParameterSpec& spec, const Json& value, std::vector<ParameterFault>& faults) {
  const auto fault = [&](const std::string& what) {
    faults.push_back({spec.name, value.dump() + " " + what + "; give " + domain(spec)});
    return value;
  };
  if (value.is_null()) {
    if (!spec.default_value || !spec.default_value->is_null())
      faults.push_back({spec.name, "has no value; give " + domain(spec)});
    return value;
  }
  switch (spec.type) {
    case ParameterType::boolean:
      return value.is_boolean() ? value : fault(std::string("is ") + type_name(value));
    case ParameterType::string:
      if (!value.is_string()) return fault(std::string("is ") + type_name(value));
      if (!spec.choices.empty() &&
          std::ranges::find(spec.choices, value.get_ref<const std::string&>()) ==
              spec.choices.end()) {
        faults.push_back(
            {spec.name, value.dump() + " is not allowed; " +
                            suggestion(value.get_ref<const std::string&>(), spec.choices)});
      }
      return value;
    case ParameterType::integer:
    case ParameterType::number:
      break;
  }
  if (!value.is_number()) return fault(std::string("is ") + type_name(value));
  const double number = value.get<double>();
  if (!in_range(spec, number)) return fault("is out of range");
  if (spec.type == ParameterType::number) return number;
  if (number != std::floor(number)) return fault("is no integer");
  const auto integer = static_cast<std::int64_t>(number);
  if (!has_form(spec, integer))
    faults.push_back({spec.name, value.dump() + " is not of the form " + form(spec) +
                                     "; the nearest are " + nearest_of_form(spec, integer)});
  return integer;
}

std::string fault_lines(const std::vector<ParameterFault>& faults) {
  std::string text;
  for (const ParameterFault& fault : faults)
    text += (text.empty() ? "" : "\n") + fault.key + ": " + fault.message;
  return text;
}

}  // namespace

ParameterError::ParameterError(const std::vector<ParameterFault>& faults)
    : std::runtime_error(fault_lines(faults)) {}

const ParameterSpec* TaskSpec::find(std::string_view parameter) const {
  const auto found = std::ranges::find(parameters, parameter, &ParameterSpec::name);
  return found == parameters.end() ? nullptr : &*found;
}

std::vector<std::string> TaskSpec::parameter_names() const {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : parameters) names.push_back(spec.name);
  return names;
}

std::vector<std::string> TaskSpec::metric_names() const {
  std::vector<std::string> names;
  for (const MetricSpec& metric : metrics) names.push_back(metric.name);
  for (const MetricSpec& metric : result_metrics) names.push_back(metric.name);
  return names;
}

std::vector<std::string> TaskSpec::models() const {
  const ParameterSpec* model = find("model");
  return model ? model->choices : std::vector<std::string>{};
}

std::string domain(const ParameterSpec& spec) {
  std::string text;
  switch (spec.type) {
    case ParameterType::boolean:
      text = "true or false";
      break;
    case ParameterType::string:
      text = spec.choices.empty() ? "a string" : "one of " + joined(spec.choices);
      break;
    case ParameterType::integer:
      text = "an integer" + bounds(spec);
      if (spec.step > 1) text += ", of the form " + form(spec);
      break;
    case ParameterType::number:
      text = "a number" + bounds(spec);
      break;
  }
  if (spec.default_value && spec.default_value->is_null()) text += ", or null";
  return text;
}

Json check_value(const TaskSpec& task, std::string_view key, const Json& value,
                 std::vector<ParameterFault>& faults) {
  if (const ParameterSpec* spec = task.find(key)) return checked(*spec, value, faults);
  faults.push_back({std::string(key), "is no parameter of task " + task.name + "; " +
                                          suggestion(key, task.parameter_names())});
  return value;
}

Json complete_parameters(const TaskSpec& task, const Json& given,
                         std::vector<ParameterFault>& faults) {
  const std::string model = chosen_model(task, given);
  const auto applies = [&](const ParameterSpec& spec) {
    return spec.models.empty() || model.empty() ||
           std::ranges::find(spec.models, model) != spec.models.end();
  };
  Json::object_t complete;
  std::size_t known = 0;
  for (const ParameterSpec& spec : task.parameters) {
    const auto found = given.find(spec.name);
    const bool is_given = found != given.end();
    known += is_given;
    if (!applies(spec)) {
      if (is_given && (!spec.default_value || *found != *spec.default_value))
        faults.push_back({spec.name, found->dump() + ": the parameter doesn't apply to model " +
                                         model + ", only to " + joined(spec.models) +
                                         "; remove it"});
    } else if (is_given) {
      complete.emplace(spec.name, checked(spec, *found, faults));
    } else if (spec.default_value) {
      complete.emplace(spec.name, *spec.default_value);
    } else {
      faults.push_back({spec.name, "is missing; give " + domain(spec)});
    }
  }
  if (known != given.size()) {
    for (const auto& [key, value] : given.items())
      if (!task.find(key)) check_value(task, key, value, faults);
  }
  return complete;
}

Json complete_parameters(const TaskSpec& task, const Json& given) {
  std::vector<ParameterFault> faults;
  Json complete = complete_parameters(task, given, faults);
  if (!faults.empty()) throw ParameterError(faults);
  return complete;
}

Json identity_parameters(const TaskSpec& task, const Json& complete) {
  Json::object_t identity;
  for (const ParameterSpec& spec : task.parameters) {
    const auto found = complete.find(spec.name);
    if (found == complete.end()) continue;
    // Numbers compare by value, so 1 and 1.0 are one.
    if (!spec.default_value || *found != *spec.default_value) identity.emplace(spec.name, *found);
  }
  return identity;
}

int declared_epochs(const Json& parameters) {
  const auto epochs = parameters.find("epochs");
  const bool known = epochs != parameters.end() && epochs->is_number_integer();
  return known ? std::max(1, epochs->get<int>()) : 1;
}

int declared_shards(const Json& parameters) {
  const auto shards = parameters.find("shards");
  const bool known = shards != parameters.end() && shards->is_number_integer();
  return known ? std::max(1, shards->get<int>()) : 1;
}

double declared_cost(std::string_view task, const Json& parameters) {
  const TaskSpec* spec = find_task(task);
  const double work = spec && spec->epoch_work ? spec->epoch_work(parameters) : 1;
  return declared_epochs(parameters) * work;
}

}  // namespace windrow::sweeps
