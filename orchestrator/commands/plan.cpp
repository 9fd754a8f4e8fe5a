// windrow plan: what a run of the study would do, before it does it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/gang_option.h"
#include "orchestrator/commands/order_option.h"
#include "orchestrator/console/progress.h"
#include "orchestrator/results/other_programs.h"
#include "orchestrator/results/planned_trials.h"
#include "orchestrator/results/texts.h"
#include "orchestrator/scheduler/simulator.h"
#include "orchestrator/session/run_program.h"
#include "orchestrator/session/run_session.h"
#include "protocol/nearest.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using nlohmann::ordered_json;
using storage::ResultTable;
using storage::Value;

struct PlanOptions {
  std::filesystem::path study_file;
  std::vector<std::string> sets;
  std::string database = "windrow.db";
  std::vector<int> slots = {1, 2, 4, 8, 16};
  std::string gang = "auto", order = "longest";
  bool json = false;
};

// What the database has of the cell's trials, in words.
std::string state_of(const PlannedCell& cell) {
  const int seeds = cell.unknown + cell.begun + cell.pending + cell.finished + cell.failed;
  std::string text;
  const auto add = [&](int number, const char* what) {
    if (number == 0) return;
    text += text.empty() ? "" : ", ";
    text += (number == seeds ? "" : std::to_string(number) + " ") + what;
  };
  add(cell.finished, "finished");
  add(cell.failed, "failed");
  add(cell.begun, "to go on");
  add(cell.pending, "pending");
  add(cell.unknown, "new");
  return text;
}

ResultTable cell_table(const StudyPlan& plan, bool with_stages) {
  ResultTable table;
  table.columns = {"cell"};
  if (with_stages) table.columns.push_back("stages");
  const auto& varying = plan.expansion.varying;
  table.columns.insert(table.columns.end(), varying.begin(), varying.end());
  table.columns.push_back("state");
  for (const PlannedCell& planned : plan.cells) {
    auto& row = table.rows.emplace_back();
    row.emplace_back(planned.cell->hash);
    if (with_stages) row.emplace_back(joined(planned.cell->stages, ","));
    for (const std::string& key : varying) {
      const auto value = planned.cell->parameters.find(key);
      row.push_back(value == planned.cell->parameters.end() ? Value{} : to_value(*value));
    }
    row.emplace_back(state_of(planned));
  }
  return table;
}

struct Totals {
  std::int64_t trials = 0, unknown = 0, begun = 0, pending = 0, finished = 0, failed = 0;
};

std::string text_of(const sweeps::RuleEffect& effect) {
  const auto combinations = [](std::int64_t number) {
    return std::to_string(number) + (number == 1 ? " combination" : " combinations");
  };
  if (effect.excluded > 0) return effect.rule + " leaves out " + combinations(effect.excluded);
  if (effect.applied == 0) return effect.rule + " fits nothing";
  return effect.rule + " takes it out of " + combinations(effect.applied) +
         (effect.merged > 0
              ? ", of which " + std::to_string(effect.merged) + " are the same cell as another then"
              : "");
}

Totals totals_of(const StudyPlan& plan) {
  Totals totals;
  for (const PlannedCell& cell : plan.cells) {
    totals.unknown += cell.unknown;
    totals.begun += cell.begun;
    totals.pending += cell.pending;
    totals.finished += cell.finished;
    totals.failed += cell.failed;
  }
  totals.trials = totals.unknown + totals.begun + totals.pending + totals.finished + totals.failed;
  return totals;
}

void print_text(const sweeps::Study& study, const StudyPlan& plan, const OtherPrograms& others,
                const PlanOptions& options) {
  const Totals totals = totals_of(plan);
  std::cout << storage::format_table(cell_table(plan, study.stages.size() > 1),
                                     storage::TableStyle::text)
            << "\n"
            << study.name << ": " << plan.cells.size() << " cells x " << study.seeds.size()
            << (study.seeds.size() == 1 ? " seed = " : " seeds = ") << totals.trials << " trials";
  const auto add = [](std::int64_t number, const char* what) {
    if (number > 0) std::cout << ", " << number << " " << what;
  };
  add(totals.unknown, "new");
  add(totals.pending, "pending");
  add(totals.begun, "to go on with");
  add(totals.finished, "finished");
  add(totals.failed, "failed (windrow retry takes them up again)");
  std::cout << "\n";
  for (const sweeps::RuleEffect& effect : plan.expansion.rules)
    std::cout << (study.stages.size() > 1 ? "stage " + effect.stage + ": " : "") << text_of(effect)
              << "\n";
  if (plan.raised > 0)
    std::cout << plan.raised << (plan.raised == 1 ? " finished trial goes" : " finished trials go")
              << " on: " << sweeps::budget_parameter(study) << " was raised\n";
  if (plan.cut > 0)
    std::cout << plan.cut << (plan.cut == 1 ? " begun trial ends" : " begun trials end")
              << " earlier: " << sweeps::budget_parameter(study) << " was lowered\n";
  if (plan.left_trials > 0)
    std::cout << plan.left_trials << " trials in " << options.database
              << " are no longer in the study: they stay, and are not run\n";
  if (!others.trials.empty())
    std::cout << describe(others)
              << "\n  (windrow run --program changed=keep goes on with them, changed=redo trains "
                 "them anew)\n";
  for (const auto& [stage, state] : plan.expansion.stages)
    if (!state.reason.empty())
      std::cout << "stage " << stage << ": " << state.reason
                << (state.kind == sweeps::StageState::Kind::waiting ? "; its cells come then" : "")
                << "\n";
  if (plan.to_run.empty()) return;
  if (!plan.measured) {
    std::cout << "time: not known before the first epochs are measured\n";
    return;
  }
  std::cout << "expected time, from the epochs measured so far:";
  const char* separator = " ";
  for (const int slots : options.slots) {
    const scheduler::Prediction prediction =
        scheduler::predict(plan.to_run, slots, gang_policy(options.gang));
    std::cout << separator << format_duration(prediction.makespan_seconds) << " on " << slots
              << (slots == 1 ? " slot" : " slots");
    const long idle = std::lround(100 * (1 - prediction.slot_use));
    if (prediction.widened > 0)
      std::cout << " (" << prediction.widened << (prediction.widened == 1 ? " trial" : " trials")
                << " by up to " << prediction.widest << " slots together)";
    else if (idle > 0)
      std::cout << " (" << idle << "% idle)";
    separator = ", ";
  }
  std::cout << "\n";
}

void print_json(const sweeps::Study& study, const StudyPlan& plan, const OtherPrograms& others,
                const PlanOptions& options) {
  ordered_json cells = ordered_json::array();
  for (const PlannedCell& planned : plan.cells)
    cells.push_back({{"cell", planned.cell->hash},
                     {"stages", planned.cell->stages},
                     {"parameters", planned.cell->parameters},
                     {"new", planned.unknown},
                     {"pending", planned.pending},
                     {"begun", planned.begun},
                     {"finished", planned.finished},
                     {"failed", planned.failed}});
  ordered_json rules = ordered_json::array();
  for (const sweeps::RuleEffect& effect : plan.expansion.rules)
    rules.push_back({{"stage", effect.stage},
                     {"rule", effect.rule},
                     {"excluded", effect.excluded},
                     {"applied", effect.applied},
                     {"merged", effect.merged}});
  ordered_json waiting = ordered_json::object(), wanting = ordered_json::object();
  ordered_json seconds = ordered_json::object(), predictions = ordered_json::array();
  for (const auto& [stage, state] : plan.expansion.stages)
    if (!state.reason.empty())
      (state.kind == sweeps::StageState::Kind::expanded ? wanting : waiting)[stage] = state.reason;
  if (plan.measured)
    for (const int slots : options.slots) {
      const scheduler::Prediction prediction =
          scheduler::predict(plan.to_run, slots, gang_policy(options.gang));
      seconds[std::to_string(slots)] = prediction.makespan_seconds;
      predictions.push_back({{"slots", slots},
                             {"makespan_seconds", prediction.makespan_seconds},
                             {"lower_bound_seconds", prediction.lower_bound_seconds},
                             {"slot_use", prediction.slot_use},
                             {"gangs", prediction.widened},
                             {"widest_gang", prediction.widest}});
    }
  std::cout << ordered_json{{"study", study.name},
                            {"hash", study.hash},
                            {"seeds", study.seeds},
                            {"varying", plan.expansion.varying},
                            {"cells", cells},
                            {"trials", totals_of(plan).trials},
                            {"trials_to_run", plan.to_run.size()},
                            {"trials_raised", plan.raised},
                            {"trials_cut", plan.cut},
                            {"trials_left", plan.left_trials},
                            {"rules", rules},
                            {"other_program",
                             {{"trials", others.trials.size()},
                              {"finished", others.finished},
                              {"cells", others.cells},
                              {"difference", others.difference}}},
                            {"waiting_stages", waiting},
                            {"short_stages", wanting},
                            {"expected_seconds", seconds},
                            {"predictions", predictions}}
                   .dump(2)
            << "\n";
}

int plan(const PlanOptions& options) {
  const sweeps::Study study =
      sweeps::load_study(options.study_file, sweeps::parse_overrides(options.sets));
  std::optional<storage::Reader> reader;
  if (std::filesystem::exists(options.database)) reader.emplace(options.database);
  const StudyPlan result = plan_study(study, reader ? &*reader : nullptr, order_of(options.order));
  OtherPrograms others;
  if (reader && !reader->programs().empty()) {
    std::set<std::string> cells;
    for (const sweeps::Cell& cell : result.expansion.cells) cells.insert(cell.hash);
    const protocol::Program now = present_program(study, "", reader->checkpoints_of(0));
    // Where the shipped trainer isn't installed nothing can be said of it.
    if (!study.trainer.command.empty() || !now.files.empty())
      others = other_programs(*reader, study.name, cells, now);
  }
  if (options.json)
    print_json(study, result, others, options);
  else
    print_text(study, result, others, options);
  return kAllDone;
}

}  // namespace

void add_plan(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand(
      "plan", "The cells of a study, what the database has of them, and how long the rest takes");
  command->add_option("study", options->study_file, "the study's YAML file")->required();
  add_database_option(*command, options->database, "database file; it need not exist yet");
  command->add_option("--set", options->sets, "key=value: overrides a fixed parameter (repeatable)")
      ->type_name("KEY=VALUE");
  command->add_option("--slots", options->slots, "numbers of slots to predict the time for")
      ->delimiter(',')
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_gang_option(*command, options->gang);
  add_order_option(*command, options->order);
  command->add_flag("--json", options->json, "one JSON object");
  command->footer(
      "Nothing is written or started. States of a cell's trials: new (not in the database yet),\n"
      "pending, to go on (has committed epochs), finished, failed.\n\n"
      "Examples:\n"
      "  windrow plan study.yaml\n"
      "  windrow plan study.yaml --set epochs=200 --slots 8,32");
  command->callback([options, &exit_code] { exit_code = plan(*options); });
}

}  // namespace windrow::commands
