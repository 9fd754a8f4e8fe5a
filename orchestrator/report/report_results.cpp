#include "orchestrator/report/report_results.h"

#include <algorithm>
#include <stdexcept>

#include "orchestrator/analysis/findings.h"
#include "orchestrator/analysis/importance.h"
#include "orchestrator/report/trial_rows.h"
#include "orchestrator/results/study_results.h"
#include "orchestrator/results/study_table.h"
#include "orchestrator/results/texts.h"
#include "protocol/nearest.h"
#include "storage/table_format.h"

namespace windrow::report {
namespace {

constexpr std::size_t kMaxRows = 1000;  // what a browser lays out at once
constexpr int kDigits = 6;              // significant ones, as `windrow table` has them

// The real numbers of the measured columns as texts with the same number of decimal places.
void align(storage::ResultTable& table, const std::set<std::string>& measured) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!measured.contains(table.columns[i])) continue;
    const auto places = storage::common_places(table, i, kDigits);
    for (auto& row : table.rows)
      if (const auto* real = std::get_if<double>(&row[i]); real && places)
        row[i] = storage::fixed(*real, *places);
  }
}

report::Block stage_block(storage::Reader& reader, const sweeps::Study& study,
                          const std::string& stage) {
  StudyTableWishes wishes;
  wishes.stage = stage;
  wishes.table = {study.report.columns, study.report.sort_by, study.report.descending};
  wishes.compare = study.report.compare;
  report::Block block;
  try {
    StudyTable made = make_study_table(reader, study, wishes);
    align(made.table, made.measured);
    block.table = std::move(made.table);
    block.emphasized = std::move(made.emphasized);
    block.notes = std::move(made.notes);
    block.notes.insert(block.notes.end(), made.remarks.begin(), made.remarks.end());
  } catch (const std::runtime_error& error) {  // a column that no trial has reported so far
    block.notes.emplace_back(error.what());
  }
  if (block.table.rows.size() > kMaxRows) {
    block.notes.push_back("The first " + std::to_string(kMaxRows) + " of " +
                          std::to_string(block.table.rows.size()) +
                          " rows; windrow table has all.");
    block.table.rows.resize(kMaxRows);
  }
  if (block.table.rows.empty()) {
    block.table = {};
    block.notes.emplace_back("No finished result yet.");
  }
  return block;
}

const char* mark_of(analysis::Verdict verdict) {
  switch (verdict) {
    case analysis::Verdict::holds:
      return "✓";
    case analysis::Verdict::fails:
      return "✗";
    case analysis::Verdict::partly:
      return "◐";
    case analysis::Verdict::unknown:
      break;
  }
  return "?";
}

report::Block importance_block(const analysis::Importance& all, const sweeps::Report& report) {
  report::Block block{"What matters for " + heading(report, all.metric)};
  block.table.columns = {"parameter", "share of the variance", "F", "p"};
  const auto percent = [](double share) { return storage::fixed(100 * share, 1) + " %"; };
  for (const analysis::Effect& effect : all.effects) {
    std::vector<std::string> names;
    for (const std::string& name : effect.parameters) names.push_back(heading(report, name));
    block.table.rows.push_back({joined(names, " × "), percent(effect.share),
                                effect.f ? storage::Value{exact_text(*effect.f)} : storage::Value{},
                                effect.p ? storage::Value{p_text(*effect.p)} : storage::Value{}});
  }
  if (all.effects.size() > 3)  // of two parameters the pair is all
    block.table.rows.push_back({"three and more together", percent(all.higher), {}, {}});
  block.table.rows.push_back({"seeds", percent(all.error), {}, {}});
  block.notes.push_back(
      "Exact analysis of variance of the complete grid: " + std::to_string(all.cells) +
      " cells, the " + std::to_string(all.seeds) + (all.seeds == 1 ? " seed" : " seeds") +
      " that all of them have. A × B: what the two make together beyond each by itself" +
      (all.seeds > 1 ? "; F and p: against the spread of the seeds." : "."));
  return block;
}

}  // namespace

std::vector<report::Block> result_blocks(storage::Reader& reader, const sweeps::Study& study) {
  std::vector<report::Block> blocks;
  for (const sweeps::Stage& stage : study.stages) {
    blocks.push_back(stage_block(reader, study, stage.name));
    if (study.stages.size() > 1) blocks.back().heading = "Stage " + stage.name;
  }
  if (!study.report.caption.empty())
    blocks.insert(blocks.begin(), {.heading = "", .notes = {study.report.caption}});
  if (study.seeds.size() > 1)
    blocks.back().notes.emplace_back(
        "A row is a cell: the mean over its n finished seeds, ± the half-width of the 95% "
        "confidence interval (Student's t).");
  return blocks;
}

std::vector<report::Block> importance_blocks(storage::Reader& reader, const sweeps::Study& study) {
  std::vector<report::Block> blocks;
  const std::string metric =
      study.report.compare ? study.report.compare->metric : study.report.sort_by;
  if (metric.empty()) return blocks;
  const analysis::StudyResults results = load_results(reader, study);
  for (const sweeps::Stage& stage : study.stages) {
    std::vector<analysis::CellResult> cells;
    for (const analysis::CellResult& cell : results.cells)
      if (std::ranges::find(cell.stages, stage.name) != cell.stages.end()) cells.push_back(cell);
    const analysis::Importance all = analysis::importance_of(cells, results.varying, metric);
    if (!all.why_not.empty() || all.effects.size() < 2) continue;
    blocks.push_back(importance_block(all, study.report));
    if (study.stages.size() > 1) blocks.back().heading += ", stage " + stage.name;
  }
  return blocks;
}

std::vector<report::Block> finding_blocks(storage::Reader& reader, const sweeps::Study& study) {
  std::vector<report::Block> blocks;
  if (study.report.findings.empty()) return blocks;
  const bool with_confusion = std::ranges::any_of(study.report.findings, [](const auto& finding) {
    return finding.kind == sweeps::FindingKind::confused;
  });
  const analysis::StudyResults results = load_results(reader, study, with_confusion);
  for (const analysis::FindingResult& finding : analysis::check_findings(study, results)) {
    report::Block& block = blocks.emplace_back();
    block.heading =
        std::string(mark_of(finding.verdict)) + " " + finding.claim + ": " + finding.text;
    block.folded = true;
    block.table = evidence_table(finding);
  }
  return blocks;
}

}  // namespace windrow::report
