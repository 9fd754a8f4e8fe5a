#include "orchestrator/results/planned_trials.h"

#include <algorithm>
#include <limits>
#include <map>

#include "orchestrator/scheduler/seed_waves.h"
#include "storage/changed_budget.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow {
namespace {

using storage::TrialInfo;
using storage::TrialState;
using Held = std::map<std::pair<std::string, std::int64_t>, TrialInfo>;  // by cell and seed

bool over(const TrialInfo& trial) {
  return trial.state == TrialState::finished || trial.state == TrialState::failed;
}

bool selects(const sweeps::Study& study) {
  return std::ranges::any_of(study.stages,
                             [](const sweeps::Stage& stage) { return stage.best.has_value(); });
}

sweeps::Expansion expand_by(const sweeps::Study& study, const Held& held,
                            const sweeps::CellMetrics& metrics) {
  const auto end_of = [&](const sweeps::Cell& cell, std::int64_t seed) -> sweeps::TrialEnd {
    const auto trial = held.find({cell.hash, seed});
    if (trial == held.end() || !over(trial->second)) return {};
    return {true, trial->second.failure};
  };
  sweeps::StageProgress progress;
  while (true) {
    sweeps::Expansion expansion =
        sweeps::expand(study, metrics, progress.complete, progress.failures);
    if (!selects(study)) return expansion;
    sweeps::StageProgress now = sweeps::stage_progress(study, expansion, end_of);
    if (now.complete == progress.complete) return expansion;
    progress = std::move(now);
  }
}

scheduler::TrialSpec make_spec(const std::string& task, const sweeps::Cell& cell, int group,
                               const TrialInfo* held) {
  scheduler::TrialSpec spec;
  spec.group = group;
  spec.epochs = sweeps::declared_epochs(cell.parameters);
  spec.declared_cost = sweeps::declared_cost(task, cell.parameters);
  spec.widest = sweeps::declared_shards(cell.parameters);
  if (held != nullptr) spec.committed_epochs = std::min(held->epochs, spec.epochs);
  return spec;
}

// Of gangs: of the cell's trials.
void fill_gang_seconds(const StudyPlan& plan, const Held& held,
                       std::vector<scheduler::TrialSpec>& specs) {
  std::map<std::string, std::map<int, std::pair<double, int>>> by_cell;
  for (const auto& [key, trial] : held)
    for (const auto& [members, mean] : trial.gang_epoch_seconds) {
      auto& [sum, count] = by_cell[key.first][members];
      sum += mean;
      ++count;
    }
  if (by_cell.empty()) return;
  for (scheduler::TrialSpec& spec : specs)
    for (const auto& [members, sum] :
         by_cell[plan.expansion.cells[static_cast<std::size_t>(spec.group)].hash])
      spec.gang_epoch_seconds[members] = sum.first / sum.second;
}

// Seconds per epoch: of the cell's trials, else by what the task says such an epoch costs, measured
// by the study's other cells.
void fill_epoch_seconds(const sweeps::Study& study, const StudyPlan& plan, const Held& held,
                        std::vector<scheduler::TrialSpec>& specs) {
  std::map<std::string, std::pair<double, int>> by_cell;
  for (const auto& [key, trial] : held)
    if (trial.mean_epoch_seconds > 0) {
      auto& [seconds, count] = by_cell[key.first];
      seconds += trial.mean_epoch_seconds;
      ++count;
    }
  double seconds = 0, cost = 0;
  for (const sweeps::Cell& cell : plan.expansion.cells) {
    const auto mean = by_cell.find(cell.hash);
    if (mean == by_cell.end()) continue;
    seconds += mean->second.first / mean->second.second;
    cost += sweeps::declared_cost(study.task, cell.parameters) /
            sweeps::declared_epochs(cell.parameters);
  }
  if (cost <= 0) return;
  for (scheduler::TrialSpec& spec : specs) {
    const auto mean = by_cell.find(plan.expansion.cells[static_cast<std::size_t>(spec.group)].hash);
    spec.epoch_seconds = mean != by_cell.end() ? mean->second.first / mean->second.second
                                               : spec.declared_cost / spec.epochs * seconds / cost;
  }
}

// The trials of a cell in `held`: begin and end.
auto trials_of(Held& held, const std::string& hash) {
  return std::pair{held.lower_bound({hash, std::numeric_limits<std::int64_t>::min()}),
                   held.upper_bound({hash, std::numeric_limits<std::int64_t>::max()})};
}

// As Store::reconcile() will: cells whose budget has changed become what they are now.
void change_budgets(const sweeps::Study& study, storage::Reader& reader, Held& held,
                    StudyPlan& plan) {
  std::vector<storage::CellRecord> present;
  for (const sweeps::Cell& cell : plan.expansion.cells)
    present.push_back({cell.hash, cell.parameters, {}, {}});
  const auto least = [&](const std::string& hash) {
    int budget = 0;
    const auto [begin, end] = trials_of(held, hash);
    for (auto at = begin; at != end; ++at)
      budget = std::max(budget, storage::least_budget(at->second.state, at->second.epochs,
                                                      study.early_stopping.has_value()));
    return budget;
  };
  const storage::BudgetRules rules{
      sweeps::budget_parameter(study),
      [&](const sweeps::Json& parameters) { return sweeps::cell_hash(study, parameters); }, least};
  for (const storage::ChangedBudget& cell :
       storage::changed_budgets(present, reader.cells(study.name), rules)) {
    const auto [begin, end] = trials_of(held, cell.from);
    for (auto at = begin; at != end;) {
      TrialInfo trial = std::move(at->second);
      at = held.erase(at);
      if (!cell.is_raised()) {
        plan.cut += !over(trial) && trial.epochs > 0;
      } else if (trial.state == TrialState::finished &&
                 (!study.early_stopping || trial.epochs >= cell.old_budget)) {
        trial.state = TrialState::pending;
        ++plan.raised;
      }
      trial.cell = cell.to;
      const std::int64_t seed = trial.seed;
      held.insert_or_assign({cell.to, seed}, std::move(trial));
    }
  }
}

}  // namespace

StudyPlan plan_study(const sweeps::Study& study, storage::Reader* reader, scheduler::Order order) {
  Held held;
  sweeps::CellMetrics metrics;
  if (reader != nullptr && reader->study(study.name)) {
    for (TrialInfo& trial : reader->trials(study.name))
      held.insert_or_assign({trial.cell, trial.seed}, std::move(trial));
    if (selects(study)) metrics = reader->cell_metrics(study.name, study.seeds);
  }
  const scheduler::SeedWaves waves(study.seeds, order);
  StudyPlan plan;
  plan.expansion = expand_by(study, held, metrics);
  if (reader != nullptr && !held.empty()) {
    change_budgets(study, *reader, held, plan);
    // Stages that wait for what goes on now are not expanded yet.
    if (plan.raised > 0 && selects(study)) plan.expansion = expand_by(study, held, metrics);
  }
  std::int64_t known = 0;
  for (std::size_t i = 0; i < plan.expansion.cells.size(); ++i) {
    const sweeps::Cell& cell = plan.expansion.cells[i];
    PlannedCell& planned = plan.cells.emplace_back();
    planned.cell = &cell;
    for (const std::int64_t seed : study.seeds) {
      const auto found = held.find({cell.hash, seed});
      const TrialInfo* trial = found == held.end() ? nullptr : &found->second;
      if (trial == nullptr)
        ++planned.unknown;
      else
        ++(trial->state == TrialState::finished ? planned.finished
           : trial->state == TrialState::failed ? planned.failed
           : trial->epochs > 0                  ? planned.begun
                                                : planned.pending);
      known += trial != nullptr;
      if (trial == nullptr || !over(*trial)) {
        plan.to_run.push_back(make_spec(study.task, cell, static_cast<int>(i), trial));
        plan.to_run.back().wave = waves.of(seed);
      }
    }
  }
  plan.left_trials = static_cast<std::int64_t>(held.size()) - known;
  fill_epoch_seconds(study, plan, held, plan.to_run);
  fill_gang_seconds(plan, held, plan.to_run);
  plan.measured = std::any_of(held.begin(), held.end(), [](const auto& entry) {
    return entry.second.mean_epoch_seconds > 0;
  });
  return plan;
}

}  // namespace windrow
