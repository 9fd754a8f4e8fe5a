// What a stage says of single combinations: which are left out, and where a parameter belongs.
// Internal to sweeps/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sweeps/study.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

class GridRules {
 public:
  // `task`: whose defaults stand for what a combination doesn't have; nullptr: a command trainer.
  GridRules(const Stage& stage, const TaskSpec* task) : stage_(stage), task_(task) {}

  // Takes out what has no place in the combination. Returns the first `when` that took something.
  std::optional<std::size_t> apply_when(Json& combination) const;

  // The first `exclude` that it fits; nullopt: it stays.
  std::optional<std::size_t> excluded_by(const Json& combination) const;

 private:
  bool fits(const Json& combination, const Json& condition) const;

  const Stage& stage_;
  const TaskSpec* task_;
};

// As in the file, for people: "exclude {lr: 1, optimizer: sgd}".
std::string exclude_text(const Json& condition);
std::string when_text(const Condition& rule);

}  // namespace windrow::sweeps
