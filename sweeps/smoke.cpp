#include "sweeps/smoke.h"

#include <algorithm>
#include <map>
#include <set>

#include "sweeps/canonical.h"
#include "sweeps/part_of_study.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

constexpr std::size_t kAllOf = 4;  // values of a number
constexpr int kSteps = 10;

// The values that are to occur, by parameter, as canonical JSON.
std::map<std::string, std::set<std::string>> values_to_try(const Expansion& expansion) {
  std::map<std::string, std::set<std::string>> wanted;
  for (const std::string& key : expansion.varying) {
    std::vector<Json> values;
    bool numbers = true;
    for (const Cell& cell : expansion.cells)
      if (const auto found = cell.parameters.find(key); found != cell.parameters.end()) {
        numbers = numbers && found->is_number();
        if (std::ranges::find(values, *found) == values.end()) values.push_back(*found);
      }
    if (numbers && values.size() > kAllOf) {
      const auto [least, most] = std::ranges::minmax_element(
          values, [](const Json& a, const Json& b) { return a.get<double>() < b.get<double>(); });
      values = {*least, *most};
    }
    for (const Json& value : values) wanted[key].insert(canonical(value));
  }
  return wanted;
}

Json shortened(const Study& study, const TaskSpec* task, Json parameters) {
  const std::string budget = budget_parameter(study);
  if (!budget.empty() && parameters.contains(budget)) parameters[budget] = 1;
  if (task && task->find("steps_per_epoch")) {
    const Json& steps = parameters["steps_per_epoch"];
    if (!steps.is_number() || steps == 0 || steps > kSteps) parameters["steps_per_epoch"] = kSteps;
  }
  return parameters;
}

}  // namespace

std::vector<Cell> smoke_cells(const Study& study, const Expansion& expansion) {
  std::vector<const Cell*> cells;
  for (const Cell& cell : expansion.cells) cells.push_back(&cell);
  std::ranges::stable_sort(cells, [&](const Cell* a, const Cell* b) {
    return declared_cost(study.task, a->parameters) > declared_cost(study.task, b->parameters);
  });
  auto wanted = values_to_try(expansion);
  std::vector<Cell> chosen;
  for (const Cell* cell : cells) {
    bool is_new = chosen.empty();
    for (auto& [key, values] : wanted)
      if (const auto found = cell->parameters.find(key); found != cell->parameters.end())
        is_new |= values.erase(canonical(*found)) > 0;
    if (is_new) chosen.push_back(*cell);
  }
  return chosen;
}

Study smoke_study(const Study& study, const std::vector<Cell>& cells) {
  const TaskSpec* task = find_task(study.task);
  std::vector<Json> parameters;
  for (const Cell& cell : cells) parameters.push_back(shortened(study, task, cell.parameters));
  return part_of_study(study, parameters, {study.seeds.front()});
}

double epoch_seconds_like(const Study& study, const Json& parameters,
                          const std::vector<Measured>& measured) {
  const Measured* nearest = nullptr;
  int most_alike = -1;
  for (const Measured& one : measured) {
    int alike = 0;
    for (const auto& [key, value] : one.parameters.items()) {
      const auto found = parameters.find(key);
      alike += found != parameters.end() && *found == value;
    }
    if (alike <= most_alike) continue;
    most_alike = alike;
    nearest = &one;
  }
  if (nearest == nullptr) return 0;
  const auto work = [&](const Json& of) {
    return declared_cost(study.task, of) / declared_epochs(of);
  };
  return nearest->epoch_seconds * work(parameters) / work(nearest->parameters);
}

}  // namespace windrow::sweeps
