#include "orchestrator/commands/report_results.h"

#include <algorithm>
#include <stdexcept>

#include "orchestrator/commands/report_table.h"

namespace windrow::commands {
namespace {

using storage::ResultTable;
using storage::Value;

template <class Keep>
void keep_rows(ResultTable& table, const std::string& column, const Keep& keep) {
  const auto found = std::ranges::find(table.columns, column);
  if (found == table.columns.end()) return;
  const auto at = static_cast<std::size_t>(found - table.columns.begin());
  std::erase_if(table.rows, [&](const auto& row) { return !keep(row[at]); });
}

bool is_text(const Value& value, std::string_view wanted) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && *text == wanted;
}

// The finished results of a stage, in the columns and the order of the study's report.
ResultTable table_of(storage::Reader& reader, const sweeps::Study& study,
                     const std::string& stage) {
  const auto in_study = [](const Value& stages) { return !is_text(stages, ""); };
  const TableWishes wishes{study.report.columns, study.report.sort_by, study.report.descending};
  if (study.seeds.size() == 1) {
    ResultTable trials = reader.trials_table(study.name, stage);
    keep_rows(trials, "stages", in_study);
    keep_rows(trials, "state", [](const Value& state) { return is_text(state, "finished"); });
    return trials_report(trials, study, wishes);
  }
  ResultTable summary = reader.summary_table(study.name, stage);
  keep_rows(summary, "stages", in_study);
  keep_rows(summary, "n", [](const Value& n) {
    const auto* number = std::get_if<std::int64_t>(&n);
    return number != nullptr && *number > 0;
  });
  return summary_report(summary, study, wishes, Interval::joined);
}

}  // namespace

std::vector<report::Block> result_blocks(storage::Reader& reader, const sweeps::Study& study) {
  std::vector<report::Block> blocks;
  for (const sweeps::Stage& stage : study.stages) {
    report::Block& block = blocks.emplace_back();
    if (study.stages.size() > 1) block.heading = "Stage " + stage.name;
    try {
      block.table = table_of(reader, study, stage.name);
    } catch (const std::runtime_error& error) {  // a column that no trial has reported so far
      block.notes.emplace_back(error.what());
    }
    if (block.table.rows.empty()) {
      block.table = {};
      block.notes.emplace_back("No finished result yet.");
    }
  }
  if (!study.report.caption.empty()) blocks.front().notes.push_back(study.report.caption + ".");
  if (study.seeds.size() > 1)
    blocks.back().notes.emplace_back(
        "A row is a cell: the mean over its n finished seeds, ± the half-width of the 95% "
        "confidence interval (Student's t).");
  return blocks;
}

}  // namespace windrow::commands
