#include "sweeps/tasks/registry.h"

#include <algorithm>

// The shipped tasks, one line each: NAME stands for `TaskSpec NAME_task()` in a file of its own.
#define WINDROW_TASKS(TASK) \
  TASK(cifar10)             \
  TASK(choice_sets)

namespace windrow::sweeps {

#define WINDROW_DECLARE(name) TaskSpec name##_task();
WINDROW_TASKS(WINDROW_DECLARE)
#undef WINDROW_DECLARE

namespace {

const std::vector<TaskSpec>& tasks() {
#define WINDROW_MAKE(name) name##_task(),
  static const std::vector<TaskSpec> all = {WINDROW_TASKS(WINDROW_MAKE)};
#undef WINDROW_MAKE
  return all;
}

}  // namespace

const TaskSpec* find_task(std::string_view name) {
  const auto found = std::ranges::find(tasks(), name, &TaskSpec::name);
  return found == tasks().end() ? nullptr : &*found;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const TaskSpec& task : tasks()) names.push_back(task.name);
  return names;
}

}  // namespace windrow::sweeps
