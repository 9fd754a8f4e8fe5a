#include "worker/parameters.h"

#include "sweeps/tasks/task_schema.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

TrainerError spec_error(const std::string& message) {
  return {protocol::TrainerFailure::spec, message};
}

TrainerError wrong_type(const char* key, const char* expected, const protocol::Json& got) {
  return spec_error("parameter " + std::string(key) + " is " + got.dump() + ", but must be " +
                    expected);
}

}  // namespace

Parameters::Parameters(const std::string& task, const protocol::Json& given) {
  const sweeps::TaskSpec* spec = sweeps::find_task(task);
  if (!spec) {
    std::string known;
    for (const std::string& name : sweeps::task_names())
      known += (known.empty() ? "" : ", ") + name;
    throw spec_error("there is no task \"" + task + "\"; windrow-trainer knows: " + known);
  }
  try {
    values_ = sweeps::complete_parameters(*spec, given);
  } catch (const sweeps::ParameterError& error) {
    throw spec_error(error.what());
  }
}

const protocol::Json& Parameters::at(const char* key) const {
  const auto found = values_.find(key);
  if (found == values_.end())
    throw spec_error("parameter " + std::string(key) + " is missing; add it to the study file");
  return *found;
}

std::int64_t Parameters::integer(const char* key) const {
  const protocol::Json& value = at(key);
  if (!value.is_number_integer()) throw wrong_type(key, "an integer", value);
  return value.get<std::int64_t>();
}

std::optional<std::int64_t> Parameters::integer_or_null(const char* key) const {
  if (at(key).is_null()) return std::nullopt;
  return integer(key);
}

double Parameters::number(const char* key) const {
  const protocol::Json& value = at(key);
  if (!value.is_number()) throw wrong_type(key, "a number", value);
  return value.get<double>();
}

std::optional<double> Parameters::number_or_null(const char* key) const {
  if (at(key).is_null()) return std::nullopt;
  return number(key);
}

bool Parameters::boolean(const char* key) const {
  const protocol::Json& value = at(key);
  if (!value.is_boolean()) throw wrong_type(key, "true or false", value);
  return value.get<bool>();
}

std::string Parameters::string(const char* key) const {
  const protocol::Json& value = at(key);
  if (!value.is_string()) throw wrong_type(key, "a string", value);
  return value.get<std::string>();
}

}  // namespace windrow::worker
