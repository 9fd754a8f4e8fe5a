#include "sweeps/stages.h"

#include <algorithm>

namespace windrow::sweeps {
namespace {

// The stage selected from; nullptr unless it stands before `stage`, so that there is no recursion
// without an end in studies that are not checked yet.
const Stage* selected_stage(const Study& study, const Stage& stage) {
  if (!stage.best) return nullptr;
  for (const Stage& other : study.stages) {
    if (&other == &stage) return nullptr;
    if (other.name == stage.best->of) return &other;
  }
  return nullptr;
}

}  // namespace

const Stage* find_stage(const Study& study, std::string_view name) {
  const auto found = std::ranges::find(study.stages, name, &Stage::name);
  return found == study.stages.end() ? nullptr : &*found;
}

std::vector<std::string> taken_parameters(const Study& study, const Stage& stage) {
  const Stage* from = selected_stage(study, stage);
  if (!from) return {};
  return stage.best->take.empty() ? swept_parameters(study, *from) : stage.best->take;
}

std::vector<std::string> swept_parameters(const Study& study, const Stage& stage) {
  std::vector<std::string> names = taken_parameters(study, stage);
  names.insert(names.end(), stage.case_keys.begin(), stage.case_keys.end());
  for (const auto& group : stage.zips)
    for (const GridAxis& axis : group) names.push_back(axis.first);
  for (const GridAxis& axis : stage.grid) names.push_back(axis.first);
  return names;
}

double most_cells(const Study& study, const Stage& stage) {
  double cells = stage.cases.empty() ? 1 : static_cast<double>(stage.cases.size());
  for (const auto& group : stage.zips) cells *= static_cast<double>(group.front().second.size());
  for (const GridAxis& axis : stage.grid) cells *= static_cast<double>(axis.second.size());
  if (const Stage* from = selected_stage(study, stage))
    cells *= std::min<double>(stage.best->count, most_cells(study, *from));
  return cells;
}

}  // namespace windrow::sweeps
