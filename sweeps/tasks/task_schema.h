// What each shipped task can be told and what it reports: declarative tables, and their checks.
//
// The orchestrator refuses bad studies with them, `windrow schema` and docs/study-file.md show
// them, and windrow-trainer reads its defaults from them. No dependency but protocol/.
//
// A new task is one file in this folder that defines its table, and one line in registry.cpp.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"

namespace windrow::sweeps {

using protocol::Json;

enum class ParameterType { integer, number, boolean, string };

struct ParameterSpec {
  std::string name;
  ParameterType type = ParameterType::number;
  std::string help;                        // what it is, with its unit
  std::optional<Json> default_value = {};  // absent: the parameter must be given;
                                           // null: allowed, and means what `help` says
  std::optional<double> minimum = {};      // of numbers and integers
  std::optional<double> maximum = {};
  bool exclusive_minimum = false;  // the minimum itself is refused
  bool exclusive_maximum = false;
  std::int64_t step = 1;       // of integers: the value is a multiple of `step`, plus `remainder`
  std::int64_t remainder = 0;  // at least 0, less than `step`
  std::vector<std::string> choices = {};  // of strings; empty: any
  std::vector<std::string> models = {};   // the models it applies to; empty: all
};

struct MetricSpec {
  std::string name;
  std::string help;
};

struct TaskSpec {
  std::string name;
  std::string help;
  std::vector<ParameterSpec> parameters;
  std::vector<MetricSpec> metrics;              // reported each epoch, and in the result
  std::vector<MetricSpec> result_metrics = {};  // in the result only: not for early stopping
  std::vector<MetricSpec> facts = {};           // known before training (`info` of `started`)
  // Multiply-adds of an epoch, roughly, of complete parameters: what tells long trials from short
  // ones before any epoch was measured. Absent: all are alike.
  std::function<double(const Json& parameters)> epoch_work = {};

  const ParameterSpec* find(std::string_view parameter) const;  // nullptr: it has none so named
  std::vector<std::string> parameter_names() const;
  std::vector<std::string> metric_names() const;  // metrics, then result_metrics
  std::vector<std::string> models() const;        // the choices of the parameter `model`
};

// nullptr: there is no such task. What is returned lives as long as the program.
const TaskSpec* find_task(std::string_view name);
std::vector<std::string> task_names();

// What is wrong with one parameter; `message` has the value and what to do, but not the key.
struct ParameterFault {
  std::string key;
  std::string message;
};

struct ParameterError : std::runtime_error {  // what(): "key: message", a line for each fault
  explicit ParameterError(const std::vector<ParameterFault>& faults);
};

// The domain in words, for example "an integer of at least 1".
std::string domain(const ParameterSpec& spec);

// Checks a value by itself. Returns it in its normal form (integral numbers of an integer parameter
// as integers, numbers of a number parameter as floating point) or appends to `faults`.
Json check_value(const TaskSpec& task, std::string_view key, const Json& value,
                 std::vector<ParameterFault>& faults);

// The parameters with the task's defaults filled in and values in their normal form. A parameter
// that doesn't apply to the chosen model is left out, and refused when given with another value
// than its default. Reports unknown keys (with the nearest valid one), wrong types, values out of
// range, choices not allowed and required parameters that are missing.
Json complete_parameters(const TaskSpec& task, const Json& given,
                         std::vector<ParameterFault>& faults);

// The same; throws ParameterError. For programs that are handed a whole set, as the trainer is.
Json complete_parameters(const TaskSpec& task, const Json& given);

// Of complete parameters, those that make a cell what it is: all that differ from their defaults.
Json identity_parameters(const TaskSpec& task, const Json& complete);

// What all epochs of a trial with these complete parameters cost, in the unit of epoch_work; of a
// task that is not shipped ("" or another name), its epochs.
double declared_cost(std::string_view task, const Json& parameters);

// The epochs that a trial with these parameters has at most; 1 where they don't say.
int declared_epochs(const Json& parameters);

// The shards of a batch, each of which a slot of its own may train; 1 where they don't say.
int declared_shards(const Json& parameters);

// The epsilon that an optimizer of task cifar10 uses where the parameter `epsilon` is null:
// PyTorch's 1e-8 for rmsprop and adam, Keras' 1e-7 for adagrad; 0 for those that have none.
double default_epsilon(std::string_view optimizer);

}  // namespace windrow::sweeps
