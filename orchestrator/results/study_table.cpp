#include "orchestrator/results/study_table.h"

#include <algorithm>
#include <map>

#include "orchestrator/results/comparison_columns.h"
#include "orchestrator/results/last_epochs.h"
#include "orchestrator/results/other_programs.h"
#include "orchestrator/results/planned_trials.h"
#include "orchestrator/results/study_results.h"
#include "orchestrator/results/texts.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow {
namespace {

using analysis::CellResult;
using storage::ResultTable;
using storage::Value;

template <class Keep>
std::size_t keep_rows(ResultTable& table, const std::string& column, const Keep& keep) {
  const auto at = find_column(table, column);
  if (!at) return 0;
  return std::erase_if(table.rows, [&](const auto& row) { return !keep(row[*at]); });
}

bool not_empty(const Value& value) {
  return !text_of(value).empty();
}

class TableMaker {
 public:
  TableMaker(storage::Reader& reader, const sweeps::Study& study, const StudyTableWishes& wishes)
      : reader_(reader),
        study_(study),
        wishes_(wishes),
        expansion_(plan_study(study, &reader).expansion),
        kinds_(expansion_),
        tables_(reader.tables(study.name)),
        results_(results_from(expansion_, tables_.trials, reader, study)),
        marks_(program_marks(reader, study.name)),
        one_seed_(study.seeds.size() == 1) {
    for (const CellResult& cell : results_.cells) cells_[cell.hash] = &cell;
    if (!wishes.stage.empty()) tables_ = reader.tables(study.name, wishes.stage);
    for (const sweeps::ReportColumn& column : wishes.table.columns)
      add_last_epochs(column, study.name, reader, tables_);
  }

  StudyTable make() {
    if (wishes_.each_trial || one_seed_)
      make_trials();
    else
      make_summary();
    for (const auto& [stage, state] : results_.unexpanded)
      if (wishes_.stage.empty() || wishes_.stage == stage)
        out_.remarks.push_back("stage " + stage + " has no cells: " + state.reason);
    return std::move(out_);
  }

 private:
  void make_trials() {
    ResultTable trials = std::move(tables_.trials);
    keep_rows(trials, "stages", not_empty);
    if (!wishes_.unfinished)
      remark_left_out(keep_rows(trials, "state",
                                [](const Value& state) {
                                  return text_of(state) == "finished" || text_of(state) == "failed";
                                }),
                      "trials");
    TableWishes table = resolved(trials, "");
    if (const auto compare = comparison_metric(trials, ""); compare && one_seed_)
      out_.remarks.emplace_back(
          "one seed a cell: no intervals and no comparison with the best; `seeds: 3` or more in "
          "the study file gives them");
    name_failed_trials(trials, table);
    const auto add = [&](const char* key) {
      if (std::ranges::find(table.columns, key, &sweeps::ReportColumn::key) == table.columns.end())
        table.columns.push_back({key, key});
    };
    if (!one_seed_) add("seed");
    if (wishes_.unfinished) add("state");
    if (!wishes_.for_people) add("failure");
    add_programs(trials, table, "trial", [this](const Value& trial) {
      const auto* number = std::get_if<std::int64_t>(&trial);
      const auto mark = number ? marks_.trials.find(*number) : marks_.trials.end();
      return mark == marks_.trials.end() ? Value{} : Value{mark->second};
    });
    out_.table = trials_report(trials, table);
    for (const sweeps::ReportColumn& column : table.columns)
      if (column.key == "wall_seconds" || kinds_.is_metric(column.key))
        out_.measured.insert(column.label);
  }

  // A failed trial has no result: the view's numbers of its last epoch are not shown as one.
  void name_failed_trials(ResultTable& trials, const TableWishes& table) {
    const auto state = find_column(trials, "state"), failure = find_column(trials, "failure");
    if (!state || !failure) return;
    std::vector<std::size_t> metrics;
    for (std::size_t i = 0; i < trials.columns.size(); ++i)
      if (kinds_.is_metric(trials.columns[i]) && !is_fact(trials.columns[i])) metrics.push_back(i);
    const auto shown = find_column(trials, shown_metric(table));
    for (auto& row : trials.rows) {
      if (text_of(row[*state]) != "failed") continue;
      for (const std::size_t i : metrics) row[i] = Value{};
      if (shown && wishes_.for_people) row[*shown] = "failed (" + text_of(row[*failure]) + ")";
    }
  }

  void make_summary() {
    ResultTable summary = std::move(tables_.summary);
    keep_rows(summary, "stages", not_empty);
    if (!wishes_.unfinished)
      remark_left_out(std::erase_if(summary.rows,
                                    [&](const auto& row) {
                                      const CellResult* cell = cell_of(summary, row);
                                      return !has_finished(summary, row) &&
                                             (!cell || failures_of(*cell).empty());
                                    }),
                      "cells");
    TableWishes table = resolved(summary, "_mean");
    const auto shown = find_column(summary, shown_metric(table) + "_mean");
    const auto compare = comparison_metric(summary, "_mean");
    add_count_of_seeds(table);
    add_missing(summary, table, shown);
    add_programs(summary, table, "cell", [this](const Value& cell) {
      const auto mark = marks_.cells.find(text_of(cell));
      return mark == marks_.cells.end() ? Value{} : Value{mark->second};
    });
    if (compare) add_comparison(summary, table, *compare);
    out_.table =
        summary_report(summary, table, wishes_.for_people ? Interval::joined : Interval::separate);
    if (compare) place_marks(out_, table, compare->metric, compared_, wishes_.adjusted);
    if (const std::string rest = what_it_rests_on(); !rest.empty()) out_.notes.push_back(rest);
  }

  // The seeds of each cell that aren't in its mean: how many failed and how, and how many finished
  // without a number for the metric `shown`.
  void add_missing(ResultTable& summary, TableWishes& table, std::optional<std::size_t> shown) {
    std::vector<Value> failed, kinds, numberless, words;
    const std::string metric = shown_metric(table);
    for (auto& row : summary.rows) {
      const CellResult* cell = cell_of(summary, row);
      const int failures = cell ? failed_seeds(*cell) : 0;
      const int without = cell && !metric.empty() ? seeds_without(*cell, metric) : 0;
      failed.emplace_back(std::int64_t{failures});
      numberless.emplace_back(std::int64_t{without});
      kinds.push_back(failures > 0 ? Value{failure_kinds(*cell)} : Value{});
      std::string text = cell ? failures_of(*cell) : "";
      if (without > 0)
        text += (text.empty() ? "" : "; ") + std::to_string(without) + " without a number";
      words.push_back(text.empty() ? Value{} : Value{text});
      if (failures > 0 && !has_finished(summary, row) && shown && wishes_.for_people)
        row[*shown] = "failed (" + failure_kinds(*cell) + ")";
    }
    const auto add = [&](const std::string& label, std::vector<Value>& values) {
      const std::string key = "\x01" + label;  // a column that no view has
      add_column(summary, key, std::move(values));
      table.columns.push_back({key, label});
    };
    if (!wishes_.for_people) {
      add("failed", failed);
      add("failures", kinds);
      add("without_number", numberless);
    } else if (std::ranges::any_of(words, [](const Value& word) { return word.index() != 0; })) {
      add("not counted", words);
    }
  }

  // Where not all that is shown is of one program, a column says so.
  template <class Mark>
  void add_programs(ResultTable& rows, TableWishes& table, const char* key, const Mark& mark) {
    const auto at = find_column(rows, key);
    if (!marks_.any() || !at) return;
    std::vector<Value> words;
    for (const auto& row : rows.rows) words.push_back(mark(row[*at]));
    if (std::ranges::all_of(words, [](const Value& word) { return word.index() == 0; })) return;
    add_column(rows, "\x01program", std::move(words));
    table.columns.push_back({"\x01program", "program"});
    out_.notes.push_back("program: older is of another program than the newest, mixed of both (" +
                         marks_.difference + ")");
  }

  void add_comparison(ResultTable& summary, TableWishes& table,
                      const sweeps::ReportComparison& by) {
    static const CellResult kNone;
    std::vector<const CellResult*> cells;
    for (const auto& row : summary.rows) {
      const CellResult* cell = cell_of(summary, row);
      cells.push_back(cell ? cell : &kNone);
    }
    compared_ = compare_with_best(cells, by);
    if (!compared_.possible() && wishes_.for_people) {
      out_.remarks.push_back("no comparison with the best by " + by.metric +
                             ": no cell shares two finished seeds with the best one");
      return;
    }
    if (wishes_.for_people)
      add_comparison_for_people(summary, table, compared_, wishes_.adjusted);
    else
      add_comparison_for_programs(summary, table, compared_);
  }

  // Of a study with trials that are not over: "seed 0 of 3", where it is the same in every cell,
  // else how many trials; "" = all are over.
  std::string what_it_rests_on() const {
    std::set<std::vector<std::int64_t>> seeds;
    std::size_t finished = 0, open = 0;
    for (const CellResult& cell : results_.cells) {
      if (!wishes_.stage.empty() &&
          std::ranges::find(cell.stages, wishes_.stage) == cell.stages.end())
        continue;
      std::vector<std::int64_t> of_cell;
      for (const analysis::TrialResult& trial : cell.trials) {
        if (trial.state != analysis::TrialResult::State::open) of_cell.push_back(trial.seed);
        finished += trial.state == analysis::TrialResult::State::finished;
        open += trial.state == analysis::TrialResult::State::open;
      }
      seeds.insert(std::move(of_cell));
    }
    if (open == 0 || finished == 0) return "";
    if (seeds.size() > 1)
      return "Rests on " + std::to_string(finished) +
             (finished == 1 ? " finished trial; " : " finished trials; ") + std::to_string(open) +
             (open == 1 ? " is not over." : " are not over.");
    std::string list;
    for (const std::int64_t seed : *seeds.begin())
      list += (list.empty() ? "" : ", ") + std::to_string(seed);
    return std::string("Rests on ") + (seeds.begin()->size() == 1 ? "seed " : "seeds ") + list +
           " of " + std::to_string(study_.seeds.size()) + ".";
  }

  // ---- what is asked for

  // The columns, with those that no trial has reported yet as empty ones.
  TableWishes resolved(ResultTable& table, const std::string& suffix) {
    TableWishes wanted = wishes_.table;
    for (sweeps::ReportColumn& column : wanted.columns)
      column = {table_key(column), column.label.empty() ? column.key : column.label};
    if (wanted.columns.empty()) wanted.columns = default_columns(table, kinds_, one_seed_, suffix);
    const bool any_finished =
        std::ranges::any_of(table.rows, [&](const auto& row) { return has_finished(table, row); });
    std::vector<std::string> keys;
    for (const sweeps::ReportColumn& column : wanted.columns) keys.push_back(column.key);
    if (!wanted.sort_by.empty()) keys.push_back(wanted.sort_by);
    for (const std::string& key : keys) {
      if (find_column(table, key + suffix) || find_column(table, key)) continue;
      const bool known = view_has(key) || (!wishes_.columns_asked && !study_.task.empty());
      if (!known && (wishes_.columns_asked || any_finished)) continue;  // is refused
      add_column(table, key + suffix, std::vector<Value>(table.rows.size()));
    }
    if (wanted.columns.empty()) wanted.sort_by.clear();
    return wanted;
  }

  std::optional<sweeps::ReportComparison> comparison_metric(const ResultTable& table,
                                                            const std::string& suffix) {
    if (wishes_.compare) {
      const std::string& metric = wishes_.compare->metric;
      if (!table.rows.empty() && !find_column(table, metric + suffix)) {
        const bool any = std::ranges::any_of(
            table.rows, [&](const auto& row) { return has_finished(table, row); });
        if (any && !view_has(metric)) refuse_column(metric, table, suffix);
        return std::nullopt;
      }
      return wishes_.compare;
    }
    const std::string& sort = wishes_.table.sort_by;
    if (sort.empty() || !kinds_.is_metric(sort)) return std::nullopt;
    return sweeps::ReportComparison{
        sort, wishes_.table.descending ? protocol::Goal::maximize : protocol::Goal::minimize};
  }

  // The column in which a failure is named: the compared one, else the first metric.
  std::string shown_metric(const TableWishes& table) const {
    std::vector<std::string> wanted;
    if (wishes_.compare) wanted.push_back(wishes_.compare->metric);
    if (!table.sort_by.empty()) wanted.push_back(table.sort_by);
    const auto is_shown = [&](const std::string& key) {
      return std::ranges::find(table.columns, key, &sweeps::ReportColumn::key) !=
             table.columns.end();
    };
    for (const sweeps::ReportColumn& column : table.columns) wanted.push_back(column.key);
    for (const std::string& key : wanted)
      if (is_shown(key) && kinds_.is_metric(key) && !is_fact(key)) return key;
    return "";
  }

  void add_count_of_seeds(TableWishes& table) {
    if (std::ranges::find(table.columns, "n", &sweeps::ReportColumn::key) == table.columns.end())
      table.columns.push_back({"n", "n"});
  }

  // ---- small things

  // Also where it is null in all of the study's rows, which then lack the column.
  bool view_has(const std::string& column) {
    const ResultTable names = reader_.query("PRAGMA table_info(trials)");
    const auto name = find_column(names, "name");
    return name && std::ranges::any_of(
                       names.rows, [&](const auto& row) { return text_of(row[*name]) == column; });
  }

  bool is_fact(const std::string& column) const {
    const sweeps::TaskSpec* task = sweeps::find_task(study_.task);
    return task && std::ranges::any_of(task->facts, [&](const sweeps::MetricSpec& fact) {
             return fact.name == column || fact.name + "_metric" == column;
           });
  }

  const CellResult* cell_of(const ResultTable& table, const std::vector<Value>& row) const {
    const auto at = find_column(table, "cell");
    const auto found = at ? cells_.find(text_of(row[*at])) : cells_.end();
    return found == cells_.end() ? nullptr : found->second;
  }

  static bool has_finished(const ResultTable& table, const std::vector<Value>& row) {
    if (const auto n = find_column(table, "n"))
      if (const auto* number = std::get_if<std::int64_t>(&row[*n])) return *number > 0;
    const auto state = find_column(table, "state");
    return state && text_of(row[*state]) == "finished";
  }

  void remark_left_out(std::size_t number, const char* what) {
    if (number > 0)
      out_.remarks.push_back(std::to_string(number) + " " + what +
                             " without a result are not in the table (--unfinished shows them)");
  }

  storage::Reader& reader_;
  const sweeps::Study& study_;
  const StudyTableWishes& wishes_;
  sweeps::Expansion expansion_;
  ColumnKinds kinds_;
  storage::StudyTables tables_;  // of the stage that is asked for
  analysis::StudyResults results_;
  ProgramMarks marks_;
  analysis::Comparison compared_;
  bool one_seed_;
  std::map<std::string, const CellResult*> cells_;  // by hash
  StudyTable out_;
};

}  // namespace

StudyTable make_study_table(storage::Reader& reader, const sweeps::Study& study,
                            const StudyTableWishes& wishes) {
  return TableMaker(reader, study, wishes).make();
}

}  // namespace windrow
