#include "orchestrator/session/smoke_run.h"

#include <algorithm>
#include <map>

#include "orchestrator/console/progress.h"
#include "orchestrator/results/cost.h"
#include "orchestrator/results/texts.h"
#include "orchestrator/scheduler/simulator.h"
#include "storage/table_format.h"
#include "sweeps/smoke.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow {
namespace {

using storage::Value;
using sweeps::Json;

std::vector<SmokeCell> read_cells(storage::Reader& reader, const std::string& study) {
  std::map<std::string, Json> parameters;
  for (const storage::CellRecord& cell : reader.cells(study))
    parameters.emplace(cell.hash, cell.parameters);
  std::map<std::int64_t, std::pair<double, double>> memory;
  for (const AttemptCost& attempt : load_costs(reader, study)) {
    auto& [host, device] = memory[attempt.trial];
    host = std::max(host, attempt.peak_memory.value_or(0));
    device = std::max(device, attempt.peak_device_memory.value_or(0));
  }
  std::map<std::int64_t, std::string> failures;  // the first of each trial
  for (const auto& row :
       reader.query("SELECT trial, kind, message FROM failures ORDER BY trial, attempt DESC").rows)
    failures[std::get<std::int64_t>(row[0])] = text_of(row[1]) + ": " + text_of(row[2]);
  std::vector<SmokeCell> cells;
  for (const storage::TrialInfo& trial : reader.trials(study)) {
    SmokeCell& cell = cells.emplace_back();
    cell.parameters = parameters.at(trial.cell);
    cell.works = trial.state == storage::TrialState::finished || trial.epochs > 0;
    if (!cell.works)
      cell.failure = failures.contains(trial.trial) ? failures[trial.trial] : "it was not run";
    cell.epoch_seconds = trial.mean_epoch_seconds;
    cell.seconds = trial.wall_seconds;
    std::tie(cell.peak_memory, cell.peak_device_memory) = memory[trial.trial];
  }
  return cells;
}

}  // namespace

bool SmokeResult::works() const {
  return std::ranges::all_of(cells, &SmokeCell::works);
}

SmokeResult read_smoke(storage::Reader& reader, const sweeps::Study& whole, int slots) {
  SmokeResult result;
  result.cells = read_cells(reader, whole.name);
  result.slots = std::max(slots, 1);
  const sweeps::Expansion expansion = sweeps::expand(whole);
  result.varying = expansion.varying;
  result.trials = static_cast<std::int64_t>(expansion.cells.size() * whole.seeds.size());
  std::vector<sweeps::Measured> measured;
  for (const SmokeCell& cell : result.cells) {
    // What reports no epochs is one.
    const double seconds = cell.epoch_seconds > 0 ? cell.epoch_seconds : cell.seconds;
    if (cell.works && seconds > 0) measured.push_back({cell.parameters, seconds});
  }
  if (measured.empty()) return result;
  result.measured = true;
  std::vector<scheduler::TrialSpec> specs;
  int group = 0;
  for (const sweeps::Cell& cell : expansion.cells) {
    scheduler::TrialSpec spec;
    spec.group = group++;
    spec.epochs = sweeps::declared_epochs(cell.parameters);
    spec.declared_cost = sweeps::declared_cost(whole.task, cell.parameters);
    spec.epoch_seconds = sweeps::epoch_seconds_like(whole, cell.parameters, measured);
    result.slot_hours +=
        static_cast<double>(whole.seeds.size()) * spec.epochs * spec.epoch_seconds / 3600;
    for (std::size_t seed = 0; seed < whole.seeds.size(); ++seed) specs.push_back(spec);
  }
  result.hours = scheduler::predict(specs, result.slots).makespan_seconds / 3600;
  return result;
}

std::string smoke_text(const SmokeResult& result) {
  storage::ResultTable table{result.varying, {}};
  for (const char* name : {"seconds", "memory", "GPU memory", "verdict"})
    table.columns.emplace_back(name);
  const auto bytes = [](double value) { return value > 0 ? Value{bytes_text(value)} : Value{}; };
  for (const SmokeCell& cell : result.cells) {
    auto& row = table.rows.emplace_back();
    for (const std::string& name : result.varying) {
      const auto value = cell.parameters.find(name);
      row.push_back(value == cell.parameters.end() ? Value{} : to_value(*value));
    }
    row.push_back(cell.works ? Value{exact_text(cell.seconds)} : Value{});
    row.push_back(bytes(cell.peak_memory));
    row.push_back(bytes(cell.peak_device_memory));
    row.emplace_back(cell.works ? "works" : "FAILED " + cell.failure.substr(0, 200));
  }
  std::string text = storage::format_table(table, storage::TableStyle::text, {});
  text += "\n" + std::to_string(result.cells.size()) + " of the study's shapes were tried, the " +
          "costliest first; nothing of it is kept\n";
  if (result.measured)
    text += "the whole study: " + std::to_string(result.trials) + " trials, " +
            hours_text(result.slot_hours) + " slot-hours, about " +
            format_duration(result.hours * 3600) + " on " + std::to_string(result.slots) +
            (result.slots == 1 ? " slot" : " slots") +
            " if all trials train to their last epoch (a first epoch is slower than the others)\n";
  return text;
}

nlohmann::ordered_json smoke_json(const SmokeResult& result) {
  nlohmann::ordered_json cells = nlohmann::ordered_json::array();
  for (const SmokeCell& cell : result.cells)
    cells.push_back({{"parameters", cell.parameters},
                     {"works", cell.works},
                     {"failure", cell.failure},
                     {"seconds", cell.seconds},
                     {"peak_memory", static_cast<std::int64_t>(cell.peak_memory)},
                     {"peak_device_memory", static_cast<std::int64_t>(cell.peak_device_memory)}});
  nlohmann::ordered_json json{{"cells", cells}, {"trials", result.trials}, {"slots", result.slots}};
  if (result.measured) {
    json["slot_hours"] = result.slot_hours;
    json["hours"] = result.hours;
  }
  return json;
}

}  // namespace windrow
