// windrow findings: the claims that a study's report declares, checked against the database.
#include "orchestrator/analysis/findings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/results/stored_study.h"
#include "orchestrator/results/study_results.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using analysis::FindingResult;
using nlohmann::ordered_json;

struct FindingsOptions {
  std::string study;
  std::string database = "windrow.db";
  bool json = false, strict = false;
};

struct TrialCounts {
  int all = 0, open = 0, failed = 0;
};

TrialCounts count_trials(const analysis::StudyResults& results) {
  using State = analysis::TrialResult::State;
  TrialCounts counts;
  for (const analysis::CellResult& cell : results.cells)
    for (const analysis::TrialResult& trial : cell.trials) {
      ++counts.all;
      counts.open += trial.state == State::open;
      counts.failed += trial.state == State::failed;
    }
  return counts;
}

void print_text(const sweeps::Study& study, const analysis::StudyResults& results,
                const std::vector<FindingResult>& findings) {
  const TrialCounts counts = count_trials(results);
  std::cout << study.name << ": " << findings.size()
            << (findings.size() == 1 ? " finding" : " findings") << " from " << counts.all
            << " trials";
  if (counts.failed > 0) std::cout << ", " << counts.failed << " of them failed";
  if (counts.open > 0) std::cout << ", " << counts.open << " of them not over";
  std::cout << "\n";
  for (const auto& [stage, state] : results.unexpanded)
    std::cout << "stage " << stage << " has no cells: " << state.reason << "\n";
  int number = 0;
  for (const FindingResult& finding : findings) {
    std::cout << "\n" << ++number << ". " << finding.claim << "\n   " << finding.text << "\n";
    for (const analysis::Check& check : finding.checks)
      std::cout << "     " << evidence_of(check) << "\n";
  }
}

void print_json(const sweeps::Study& study, const analysis::StudyResults& results,
                const std::vector<FindingResult>& findings) {
  const TrialCounts counts = count_trials(results);
  ordered_json list = ordered_json::array(), stages = ordered_json::object();
  for (const FindingResult& finding : findings)
    list.push_back({{"claim", finding.claim},
                    {"kind", to_string(finding.kind)},
                    {"verdict", to_string(finding.verdict)},
                    {"text", finding.text},
                    {"held", finding.held},
                    {"known", finding.known},
                    {"checks", ordered_json::parse(format_table(evidence_table(finding),
                                                                storage::TableStyle::json))}});
  for (const auto& [stage, state] : results.unexpanded) stages[stage] = state.reason;
  std::cout << ordered_json{{"study", study.name},
                            {"trials", counts.all},
                            {"trials_failed", counts.failed},
                            {"trials_not_over", counts.open},
                            {"stages_without_cells", stages},
                            {"findings", list}}
                   .dump(2)
            << "\n";
}

int print_findings(const FindingsOptions& options) {
  storage::Reader reader(options.database);
  const sweeps::Study study = reported_study(reader, options.database, options.study);
  if (study.report.findings.empty())
    std::cerr << "windrow: study " << study.name
              << " declares no findings; add report.findings to its file, and name the file: "
                 "windrow findings STUDY.yaml\n";
  const bool confused = std::ranges::any_of(study.report.findings, [](const auto& finding) {
    return finding.kind == sweeps::FindingKind::confused;
  });
  const analysis::StudyResults results = load_results(reader, study, confused);
  const auto findings = analysis::check_findings(study, results);
  if (options.json)
    print_json(study, results, findings);
  else if (!findings.empty())
    print_text(study, results, findings);
  const bool all_hold = std::ranges::all_of(findings, [](const FindingResult& finding) {
    return finding.verdict == analysis::Verdict::holds;
  });
  return options.strict && !all_hold ? kSomeFailed : kAllDone;
}

}  // namespace

void add_findings(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<FindingsOptions>();
  CLI::App* findings = app.add_subcommand(
      "findings", "Which of the claims that a study declares hold, with the numbers");
  findings->add_option("study", options->study,
                       "its name (default: the only one there), or its file: then the claims are "
                       "those that the file has now");
  add_database_option(*findings, options->database);
  findings->add_flag("--strict", options->strict, "exit code 1 unless every claim holds");
  findings->add_flag("--json", options->json, "one JSON object");
  findings->footer(
      "The claims are `report: findings:` in the study file; docs/study-file.md has their kinds.\n"
      "A claim holds or not by the means over the finished seeds. With several seeds the paired\n"
      "difference, its 95% interval and its p-value tell how far chance could explain it. What\n"
      "is not over is said to be not yet known.\n\n"
      "Examples:\n"
      "  windrow findings\n"
      "  windrow findings p1.yaml               claims edited after the run\n"
      "  windrow findings p3 --json | jq '.findings[] | {claim, verdict}'");
  findings->callback([options, &exit_code] { exit_code = print_findings(*options); });
}

}  // namespace windrow::commands
