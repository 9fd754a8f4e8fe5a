// windrow cost: what a study took, for a paper's compute statement.
#include "orchestrator/results/cost.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/results/stored_study.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using storage::ResultTable;
using storage::TableStyle;
using storage::Value;

struct CostOptions {
  std::string study, database = "windrow.db", format = "text";
  bool trials = false, json = false;
};

Value unless_zero(double hours, bool people) {
  if (people && hours == 0) return {};
  return people ? Value{hours_text(hours)} : Value{hours};
}

ResultTable by_outcome(const StudyCost& cost, bool people) {
  ResultTable table{{"attempts", "number", "hours", "cpu_hours", "gpu_hours"}, {}};
  const auto add = [&](const CostLine& line) {
    table.rows.push_back({line.how, std::int64_t{line.attempts},
                          people ? Value{hours_text(line.hours)} : Value{line.hours},
                          unless_zero(line.cpu_hours, people),
                          unless_zero(line.gpu_hours, people)});
  };
  for (const CostLine& line : cost.lines) add(line);
  if (cost.lines.size() > 1 || !people) add(cost.total);
  return table;
}

// A row a trial.
ResultTable by_trial(const std::vector<AttemptCost>& attempts, bool people) {
  ResultTable table{
      {"trial", "attempts", "hours", "cpu_hours", "gpu_hours", "peak_memory", "peak_device_memory"},
      {}};
  const std::vector<double> gpu = gpu_hours(attempts);
  struct Sum {
    CostLine line;
    double memory = 0, device_memory = 0;
  };
  std::map<std::int64_t, Sum> sums;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    Sum& sum = sums[attempts[i].trial];
    ++sum.line.attempts;
    sum.line.hours += attempts[i].seconds() / 3600;
    sum.line.cpu_hours += attempts[i].cpu_seconds.value_or(0) / 3600;
    sum.line.gpu_hours += gpu[i];
    sum.memory = std::max(sum.memory, attempts[i].peak_memory.value_or(0));
    sum.device_memory = std::max(sum.device_memory, attempts[i].peak_device_memory.value_or(0));
  }
  const auto bytes = [&](double value) {
    if (value == 0) return Value{};
    return people ? Value{bytes_text(value)} : Value{static_cast<std::int64_t>(value)};
  };
  for (const auto& [trial, sum] : sums)
    table.rows.push_back({trial, std::int64_t{sum.line.attempts},
                          people ? Value{hours_text(sum.line.hours)} : Value{sum.line.hours},
                          unless_zero(sum.line.cpu_hours, people),
                          unless_zero(sum.line.gpu_hours, people), bytes(sum.memory),
                          bytes(sum.device_memory)});
  return table;
}

int cost(const CostOptions& options) {
  storage::Reader reader(options.database);
  const std::string study = stored_study(reader, options.database, options.study).name;
  const auto style = *storage::table_style(options.json ? "json" : options.format);
  const bool people = style != TableStyle::csv && style != TableStyle::json;
  const StudyCost cost = load_cost(reader, study);
  storage::TableOptions format;
  if (people && cost.trials == 0) {
    std::cout << "no trial of study " << study << " has been trained yet\n";
    return kAllDone;
  }
  if (cost.without_cpu_time > 0)
    format.notes.push_back("The CPU time of " + std::to_string(cost.without_cpu_time) +
                           " attempts is not on record: they were lost with their rank, or made by "
                           "a version that did not ask.");
  std::cout << storage::format_table(
      options.trials ? by_trial(load_costs(reader, study), people) : by_outcome(cost, people),
      style, format);
  if (people && !options.trials) std::cout << "\n" << compute_statement(cost, study) << "\n";
  return kAllDone;
}

}  // namespace

void add_cost(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CostOptions>();
  CLI::App* command = app.add_subcommand("cost", "What a study took: hours, CPUs, GPUs, memory");
  command->add_option("study", options->study, "its name (default: the only one there)");
  command->add_flag("--trials", options->trials, "a row for each trial");
  command->add_option("--format", options->format, "text, markdown, latex, csv or json")
      ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "the same as --format json");
  add_database_option(*command, options->database);
  command->footer(
      "hours: of slots that trained. cpu_hours: CPU time of the trainers. gpu_hours: that attempts "
      "held their\nGPU; those that shared one count for their part of it. interrupted: pre-empted, "
      "stopped, or lost with\ntheir rank; what they had trained was gone on with. All attempts "
      "count, also of trials that were trained\nanew.\n\n"
      "Example:\n"
      "  windrow cost p1");
  command->callback([options, &exit_code] { exit_code = cost(*options); });
}

}  // namespace windrow::commands
