#include "worker/tasks/task.h"
#include "worker/trainer_error.h"

namespace windrow::worker {

std::unique_ptr<Training> begin_choice_sets(const TrainingContext& context);
std::unique_ptr<Training> begin_cifar10(const TrainingContext& context);

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{
      {"choice-sets", begin_choice_sets},
      {"cifar10", begin_cifar10},
  };
  return all;
}

const Task& find_task(const std::string& name) {
  std::string known;
  for (const Task& task : tasks()) {
    if (task.name == name) return task;
    known += (known.empty() ? "" : ", ") + task.name;
  }
  throw TrainerError(protocol::TrainerFailure::spec,
                     "there is no task \"" + name + "\"; this windrow-trainer has: " + known);
}

}  // namespace windrow::worker
