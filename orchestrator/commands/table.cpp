// windrow table: a study's results as the table of a paper.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/results/stored_study.h"
#include "orchestrator/results/study_table.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using storage::TableStyle;

struct TableCommandOptions {
  std::string study, stage;
  std::string database = "windrow.db";
  std::string format = "text";
  std::string columns, sort, caption, compare, adjust = "holm";
  int digits = 6;
  bool each_trial = false, unfinished = false, json = false, caption_given = false;
};

// KEY or KEY=LABEL, comma-separated.
std::vector<sweeps::ReportColumn> parse_columns(const std::string& text) {
  std::vector<sweeps::ReportColumn> columns;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos)
      columns.push_back({part, part});
    else
      columns.push_back({part.substr(0, equals), part.substr(equals + 1)});
  }
  return columns;
}

// KEY, or -KEY where the largest comes first.
std::pair<std::string, bool> key_and_descending(const std::string& text) {
  const bool descending = text.front() == '-';
  return {text.substr(descending ? 1 : 0), descending};
}

StudyTableWishes wishes_of(const TableCommandOptions& options, const sweeps::Report& report,
                           TableStyle style) {
  StudyTableWishes wishes;
  wishes.stage = options.stage;
  wishes.table = {report.columns, report.sort_by, report.descending};
  wishes.columns_asked = !options.columns.empty();
  if (wishes.columns_asked) wishes.table.columns = parse_columns(options.columns);
  if (!options.sort.empty())
    std::tie(wishes.table.sort_by, wishes.table.descending) = key_and_descending(options.sort);
  wishes.compare = report.compare;
  if (!options.compare.empty()) {
    const auto [metric, largest] = key_and_descending(options.compare);
    wishes.compare = {metric, largest ? protocol::Goal::maximize : protocol::Goal::minimize};
  }
  wishes.each_trial = options.each_trial;
  wishes.unfinished = options.unfinished;
  wishes.adjusted = options.adjust == "holm";
  wishes.for_people = style != TableStyle::csv && style != TableStyle::json;
  return wishes;
}

void check_stage(const sweeps::Study& study, const std::string& stage) {
  if (stage.empty()) return;
  std::string names;
  for (const sweeps::Stage& each : study.stages) {
    if (each.name == stage) return;
    names += (names.empty() ? "" : ", ") + each.name;
  }
  throw std::runtime_error("study " + study.name + " has no stage \"" + stage + "\"; it has " +
                           names);
}

int print_table(const TableCommandOptions& options) {
  const TableStyle style = *storage::table_style(options.json ? "json" : options.format);
  storage::Reader reader(options.database);
  const sweeps::Study study = reported_study(reader, options.database, options.study);
  check_stage(study, options.stage);
  const StudyTable made = make_study_table(reader, study, wishes_of(options, study.report, style));
  storage::TableOptions format;
  format.significant_digits = options.digits;
  format.caption = options.caption_given ? options.caption : study.report.caption;
  if (!options.caption_given && !format.caption.empty() && !options.stage.empty())
    format.caption += " (stage " + options.stage + ")";
  format.emphasized = made.emphasized;
  format.aligned = made.measured;
  format.notes = made.notes;
  for (const std::string& remark : made.remarks) std::cerr << "windrow: " << remark << "\n";
  std::cout << storage::format_table(made.table, style, format);
  return kAllDone;
}

}  // namespace

void add_table(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TableCommandOptions>();
  CLI::App* table =
      app.add_subcommand("table", "A study's results as a table: text, Markdown, LaTeX, CSV, JSON");
  table->add_option("study", options->study,
                    "its name (default: the only one there), or its file: then the "
                    "report is the one that the file has now");
  add_database_option(*table, options->database);
  table->add_option("--stage", options->stage, "the cells of this stage only");
  table->add_option("--format", options->format, "text, markdown, latex, csv or json")
      ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  table->add_option("--columns", options->columns,
                    "KEY or KEY=LABEL, comma-separated (default: the study's report)");
  table->add_option("--sort", options->sort, "KEY, or -KEY for the largest first");
  table->add_option("--compare", options->compare,
                    "METRIC by which cells are compared with the best one, or -METRIC where the "
                    "largest is best (default: the report's, else the sort column)");
  table
      ->add_option("--adjust", options->adjust,
                   "of the comparison's p-values, for the number of cells: holm or none")
      ->check(CLI::IsMember({"holm", "none"}))
      ->capture_default_str();
  CLI::Option* caption = table->add_option("--caption", options->caption, "of Markdown and LaTeX");
  table->add_option("--digits", options->digits, "significant digits of real numbers; 0 = all")
      ->check(CLI::Range(0, 17))
      ->capture_default_str();
  table->add_flag("--trials", options->each_trial,
                  "a row for each trial (default where there is one seed), not for each cell");
  table->add_flag("--unfinished", options->unfinished, "also what has no finished result yet");
  table->add_flag("--json", options->json, "the same as --format json");
  table->footer(
      "The columns, their headings and the order come from `report:` in the study file. With\n"
      "several seeds a row is a cell: the mean over its finished seeds, ± the half-width of the\n"
      "95% confidence interval (Student's t), n, and the paired difference to the best cell with\n"
      "its p-value; docs/findings.md says what these mean. CSV and JSON have each number in a\n"
      "column of its own, with all digits. Failed seeds are named, never averaged.\n\n"
      "Examples:\n"
      "  windrow table\n"
      "  windrow table --format latex > table.tex       needs \\usepackage{booktabs}\n"
      "  windrow table p1 --stage optimizers --columns optimizer,train_loss=Loss --sort "
      "train_loss");
  table->callback([options, caption, &exit_code] {
    options->caption_given = caption->count() > 0;
    exit_code = print_table(*options);
  });
}

}  // namespace windrow::commands
