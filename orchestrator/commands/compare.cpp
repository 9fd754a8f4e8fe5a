// windrow compare: one study in two databases, cell by cell.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/results/report_table.h"
#include "orchestrator/results/stored_study.h"
#include "orchestrator/results/study_results.h"
#include "orchestrator/results/texts.h"
#include "orchestrator/results/two_databases.h"
#include "protocol/nearest.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using analysis::Estimate;
using storage::Value;

struct CompareOptions {
  std::string before, after, study, metric;
  std::string format = "text";
  bool json = false;
};

struct Side {
  explicit Side(const std::string& database, const std::string& name)
      : reader(database),
        study(reported_study(reader, database, name)),
        results(load_results(reader, study)) {}
  storage::Reader reader;
  sweeps::Study study;
  analysis::StudyResults results;
};

// The one that is asked for, else the one that the study is compared by.
std::string metric_of(const CompareOptions& options, const Side& before, const Side& after) {
  std::vector<std::string> known = metrics_of(before.results);
  for (const std::string& name : metrics_of(after.results))
    if (std::ranges::find(known, name) == known.end()) known.push_back(name);
  const sweeps::Report& report = after.study.report;
  std::string wanted = options.metric;
  if (wanted.empty() && report.compare) wanted = report.compare->metric;
  if (wanted.empty() && std::ranges::find(known, report.sort_by) != known.end())
    wanted = report.sort_by;
  if (known.empty()) throw std::runtime_error("neither has a finished trial with a metric");
  if (wanted.empty())
    throw std::runtime_error("name the metric with --metric: " + suggestion("", known));
  if (std::ranges::find(known, wanted) == known.end())
    throw std::runtime_error("no finished trial has the metric \"" + wanted + "\"; " +
                             suggestion(wanted, known));
  return wanted;
}

Value for_people(const Estimate& estimate) {
  if (estimate.n == 0) return {};
  return estimate.ci95 ? with_interval(estimate.mean, *estimate.ci95) : exact_text(estimate.mean);
}

Value difference_for_people(const Estimate& estimate) {
  if (!estimate.ci95) return {};
  return signed_interval(estimate.mean, *estimate.ci95);
}

template <class Number>
Value value_of(const std::optional<Number>& number) {
  return number ? Value{*number} : Value{};
}

storage::ResultTable table_of(const std::vector<ComparedCell>& cells,
                              const std::vector<std::string>& varying, bool people) {
  storage::ResultTable table;
  table.columns = varying;
  const auto add = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) table.columns.emplace_back(name);
  };
  if (people)
    add({"before", "n", "after", "n ", "after − before", "p", "same"});
  else
    add({"before", "before_ci95", "before_n", "after", "after_ci95", "after_n", "difference",
         "difference_ci95", "difference_n", "p", "p_holm", "same"});
  for (const ComparedCell& cell : cells) {
    auto& row = table.rows.emplace_back();
    const sweeps::Json& parameters = (cell.before ? cell.before : cell.after)->parameters;
    for (const std::string& name : varying) {
      const auto value = parameters.find(name);
      row.push_back(value == parameters.end() ? Value{} : to_value(*value));
    }
    const auto number = [&](const Estimate& estimate) {
      row.push_back(estimate.n > 0 ? Value{estimate.mean} : Value{});
      row.push_back(value_of(estimate.ci95));
      row.emplace_back(std::int64_t{estimate.n});
    };
    if (people) {
      row.push_back(for_people(cell.of_before));
      row.emplace_back(std::int64_t{cell.of_before.n});
      row.push_back(for_people(cell.of_after));
      row.emplace_back(std::int64_t{cell.of_after.n});
      row.push_back(difference_for_people(cell.difference));
      row.push_back(cell.p_holm ? Value{p_text(*cell.p_holm)} : Value{});
    } else {
      number(cell.of_before);
      number(cell.of_after);
      number(cell.difference);
      row.push_back(value_of(cell.difference.p));
      row.push_back(value_of(cell.p_holm));
    }
    row.emplace_back(std::int64_t{cell.same});
  }
  return table;
}

std::vector<std::string> names_of_cells(const Side& before, const Side& after) {
  std::vector<std::string> varying = after.results.varying;
  for (const std::string& name : before.results.varying)
    if (std::ranges::find(varying, name) == varying.end()) varying.push_back(name);
  return varying;
}

int compare(const CompareOptions& options) {
  const Side before(options.before, options.study);
  const Side after(options.after, options.study.empty() ? before.study.name : options.study);
  const std::string metric = metric_of(options, before, after);
  const auto cells = compare_results(before.results, after.results, metric);
  const auto style = *storage::table_style(options.json ? "json" : options.format);
  const bool people = style != storage::TableStyle::csv && style != storage::TableStyle::json;
  storage::TableOptions format;
  const auto only = [&](const char* where, const analysis::CellResult* ComparedCell::*missing) {
    const auto number = std::ranges::count(cells, nullptr, missing);
    if (number > 0)
      format.notes.push_back(std::to_string(number) + (number == 1 ? " cell is" : " cells are") +
                             " only in " + where + ".");
  };
  format.notes.push_back(
      metric +
      ": mean ± 95% half-width over the finished seeds; after − before: paired over the seeds that "
      "both have, p of the paired t-test by Holm's method; same: seeds with the same number in "
      "both.");
  only(options.before.c_str(), &ComparedCell::after);
  only(options.after.c_str(), &ComparedCell::before);
  std::cout << storage::format_table(table_of(cells, names_of_cells(before, after), people), style,
                                     format);
  return kAllDone;
}

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      app.add_subcommand("compare", "One study in two databases, cell by cell, with intervals");
  command->add_option("before", options->before, "a database file")->required();
  command->add_option("after", options->after, "another one")->required();
  command->add_option("--study", options->study, "its name (default: the only one there)");
  command->add_option("--metric", options->metric,
                      "what is compared (default: what the study's report compares or sorts by)");
  command->add_option("--format", options->format, "text, markdown, latex, csv or json")
      ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "the same as --format json");
  command->footer(
      "Cells are the same where all their parameters are. For what a new program, library or "
      "machine\nchanged: run the study into another database and compare.\n\n"
      "Example:\n"
      "  windrow compare old.db new.db --metric test_loss");
  command->callback([options, &exit_code] { exit_code = compare(*options); });
}

}  // namespace windrow::commands
