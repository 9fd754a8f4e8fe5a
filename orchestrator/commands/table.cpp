// windrow table: a study's results as the table of a paper.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/report_table.h"
#include "orchestrator/commands/stored_study.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using storage::ResultTable;
using storage::TableStyle;

struct TableCommandOptions {
  std::string study, stage;
  std::string database = "windrow.db";
  std::string format = "text";
  std::string columns, sort, caption;
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

TableWishes wishes_of(const TableCommandOptions& options, const sweeps::Report& report) {
  TableWishes wishes{report.columns, report.sort_by, report.descending};
  if (!options.columns.empty()) wishes.columns = parse_columns(options.columns);
  if (!options.sort.empty()) {
    wishes.descending = options.sort.front() == '-';
    wishes.sort_by = options.sort.substr(wishes.descending ? 1 : 0);
  }
  return wishes;
}

// Keeps the rows where `column` satisfies `keep`; returns how many went.
template <class Keep>
std::size_t filter_rows(ResultTable& table, const std::string& column, const Keep& keep) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i] == column)
      return std::erase_if(table.rows, [&](const auto& row) { return !keep(row[i]); });
  return 0;
}

bool not_empty(const storage::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && !text->empty();
}

bool is_finished(const storage::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && *text == "finished";
}

bool is_positive(const storage::Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr && *number > 0;
}

ResultTable make_table(storage::Reader& reader, const sweeps::Study& study,
                       const TableCommandOptions& options, TableStyle style) {
  const TableWishes wishes = wishes_of(options, study.report);
  const bool for_people = style != TableStyle::csv && style != TableStyle::json;
  std::size_t left_out = 0;
  ResultTable table;
  if (options.each_trial || study.seeds.size() == 1) {
    ResultTable trials = reader.trials_table(study.name, options.stage);
    filter_rows(trials, "stages", not_empty);
    if (!options.unfinished) left_out = filter_rows(trials, "state", is_finished);
    table = trials_report(trials, study, wishes);
  } else {
    ResultTable summary = reader.summary_table(study.name, options.stage);
    filter_rows(summary, "stages", not_empty);
    if (!options.unfinished) left_out = filter_rows(summary, "n", is_positive);
    table =
        summary_report(summary, study, wishes, for_people ? Interval::joined : Interval::separate);
  }
  if (left_out > 0)
    std::cerr << "windrow: " << left_out
              << (options.each_trial || study.seeds.size() == 1 ? " trials" : " cells")
              << " without a finished result are not in the table (--unfinished shows them)\n";
  return table;
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
  const storage::StudyInfo stored = stored_study(reader, options.database, options.study);
  const sweeps::Study study =
      sweeps::parse_study(stored.text, options.database + " (study " + stored.name + ")");
  check_stage(study, options.stage);
  storage::TableOptions format;
  format.significant_digits = options.digits;
  format.caption = options.caption_given ? options.caption : study.report.caption;
  std::cout << storage::format_table(make_table(reader, study, options, style), style, format);
  return kAllDone;
}

}  // namespace

void add_table(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TableCommandOptions>();
  CLI::App* table =
      app.add_subcommand("table", "A study's results as a table: text, Markdown, LaTeX, CSV, JSON");
  table->add_option("study", options->study, "its name (default: the only one there)");
  table->add_option("--db", options->database, "database file")
      ->envname("WINDROW_DB")
      ->capture_default_str();
  table->add_option("--stage", options->stage, "the cells of this stage only");
  table->add_option("--format", options->format, "text, markdown, latex, csv or json")
      ->check(CLI::IsMember({"text", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  table->add_option("--columns", options->columns,
                    "KEY or KEY=LABEL, comma-separated (default: the study's report)");
  table->add_option("--sort", options->sort, "KEY, or -KEY for the largest first");
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
      "95% confidence interval (Student's t), and n. CSV and JSON have the half-width in a column\n"
      "of its own, and all digits.\n\n"
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
