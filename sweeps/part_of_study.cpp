#include "sweeps/part_of_study.h"

#include <set>

#include "sweeps/canonical.h"
#include "sweeps/emit.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

Study part_of_study(const Study& study, const std::vector<Json>& parameters,
                    const std::vector<std::int64_t>& seeds) {
  const TaskSpec* task = find_task(study.task);
  Study part = study;
  part.parameters = Json::object();
  part.seeds = seeds;
  part.kept = KeptCheckpoints{Keep::none};
  part.report = {};
  part.on_end.reset();
  part.on_failure.reset();
  Stage stage;
  stage.name = "main";
  stage.parameters = Json::object();
  std::set<std::string> seen, keys;
  for (const Json& complete : parameters) {
    Json one = task ? identity_parameters(*task, complete) : complete;
    if (!seen.insert(canonical(one)).second) continue;
    for (const auto& [key, value] : one.items()) keys.insert(key);
    stage.cases.push_back(std::move(one));
  }
  stage.case_keys.assign(keys.begin(), keys.end());
  if (keys.empty()) stage.cases.clear();  // one cell without parameters
  part.stages = {std::move(stage)};
  return parse_study(to_yaml(part), "part of study " + study.name);
}

}  // namespace windrow::sweeps
