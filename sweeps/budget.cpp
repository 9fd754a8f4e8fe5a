// How long trials train, and what is kept of them so that they can go on.
#include "sweeps/canonical.h"
#include "sweeps/study.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

std::string cell_hash(const Study& study, const Json& parameters) {
  const TaskSpec* task = find_task(study.task);
  return CellHasher(study).hash(task ? identity_parameters(*task, parameters) : parameters);
}

std::string budget_parameter(const Study& study) {
  return study.task.empty() ? study.budget : "epochs";
}

KeptCheckpoints kept_checkpoints(const Study& study) {
  if (study.kept) return *study.kept;
  return {budget_parameter(study).empty() ? Keep::none : Keep::last};
}

}  // namespace windrow::sweeps
