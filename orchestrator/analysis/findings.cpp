#include "orchestrator/analysis/findings.h"

#include <algorithm>
#include <cstdio>

#include "orchestrator/analysis/finding_checks.h"

namespace windrow::analysis {

using sweeps::FindingKind;

std::vector<const Measured*> Subject::matching(const sweeps::Json& parameters) const {
  std::vector<const Measured*> found;
  for (const Measured& cell : cells)
    if (matches(*cell.cell, parameters)) found.push_back(&cell);
  return found;
}

Subject measure(const sweeps::Finding& finding, const StudyResults& results,
                const std::string& metric) {
  Subject subject{finding, results, metric, {}};
  for (const CellResult& cell : results.cells) {
    if (!finding.stage.empty() &&
        std::ranges::find(cell.stages, finding.stage) == cell.stages.end())
      continue;
    Measured& measured = subject.cells.emplace_back();
    measured.cell = &cell;
    measured.name = name_of(cell, results.varying);
    measured.metric = metric_of(cell, metric);
    if (measured.metric.gap == Gap::none) measured.mean = estimate(measured.metric.values).mean;
  }
  return subject;
}

Check unknown(std::string what, const std::string& metric, std::string why, bool open) {
  return {.what = std::move(what), .metric = metric, .open = open, .note = std::move(why)};
}

Check missing(std::string what, const std::string& metric, const Measured& cell) {
  const bool named = cell.name.empty() || what == cell.name;
  return unknown(std::move(what), metric, (named ? "" : cell.name + ": ") + cell.metric.note,
                 cell.metric.gap == Gap::open);
}

Check comparison(std::string what, const Subject& subject, const Measured& a, const Measured& b) {
  Check check{
      .what = std::move(what), .metric = subject.metric, .value = a.mean, .against = b.mean};
  check.difference = paired_difference(a.metric.values, b.metric.values);
  for (const Measured* cell : {&a, &b})
    if (!cell->metric.note.empty())
      check.note += (check.note.empty() ? "" : "; ") + cell->name + ": " + cell->metric.note;
  return check;
}

namespace {

std::vector<Check> checks_of(const Subject& subject) {
  switch (subject.finding.kind) {
    case FindingKind::best:
      return check_best(subject);
    case FindingKind::compare:
      return check_compare(subject);
    case FindingKind::trend:
      return check_trend(subject);
    case FindingKind::rank:
      return check_rank(subject);
    case FindingKind::bound:
      return check_bound(subject);
    case FindingKind::order:
      return check_order(subject);
    case FindingKind::equal:
      return check_equal(subject);
    case FindingKind::confused:
      break;
  }
  return check_confused(subject.finding, subject.results);
}

// The checks of a finding are one family.
void adjust(std::vector<Check>& checks) {
  std::vector<double> p;
  for (const Check& check : checks)
    if (check.holds && check.difference.p) p.push_back(*check.difference.p);
  const std::vector<double> adjusted = holm_adjusted(p);
  std::size_t next = 0;
  for (Check& check : checks)
    if (check.holds && check.difference.p) check.p_holm = adjusted[next++];
}

std::string of(int some, std::size_t all) {
  return std::to_string(some) + " of " + std::to_string(all);
}

// How far chance could explain the checks that hold; "" where that isn't the question.
std::string strength(const FindingResult& result) {
  if (result.held == 0 || result.kind == FindingKind::equal || result.kind == FindingKind::confused)
    return "";
  int clear = 0, with_p = 0;
  for (const Check& check : result.checks) {
    if (check.holds != true || !check.p_holm) continue;
    ++with_p;
    clear += *check.p_holm < 0.05;
  }
  if (with_p == 0) return "; one seed, so chance can't be ruled out";
  if (with_p == 1 && clear == 1) return "; beyond chance (p < 0.05)";
  if (clear == 0) return "; not distinguishable from chance at 5%";
  return "; beyond chance (p < 0.05, Holm) in " + std::to_string(clear) + " of these";
}

std::string verdict_text(const FindingResult& result) {
  const std::size_t all = result.checks.size();
  const int missing = static_cast<int>(all) - result.known;
  const bool open = std::ranges::any_of(result.checks, &Check::open);
  const std::string gaps =
      missing == 0 ? "" : std::to_string(missing) + (open ? " not yet known" : " can't be known");
  switch (result.verdict) {
    case Verdict::holds:
      return (all == 1 ? "holds" : "holds in " + of(result.held, all)) + strength(result);
    case Verdict::fails:
      return all == 1 ? "does not hold"
                      : "does not hold: 0 of " + std::to_string(result.known) +
                            (gaps.empty() ? "" : ", " + gaps);
    case Verdict::partly:
      return "holds in " + of(result.held, all) + (gaps.empty() ? "" : ", " + gaps) +
             strength(result);
    case Verdict::unknown:
      break;
  }
  std::string text = open ? "not yet known" : "can't be known";
  if (result.known > 0) text += " (holds in " + of(result.held, all) + " so far)";
  for (const Check& check : result.checks)
    if (!check.holds && (check.open || !open)) return text + ": " + check.what + ": " + check.note;
  return text;
}

}  // namespace

FindingResult check_finding(const sweeps::Finding& finding, const StudyResults& results) {
  FindingResult result{.claim = finding.claim, .kind = finding.kind};
  const auto waiting = results.unexpanded.find(finding.stage);
  const std::vector<std::string> metrics =
      finding.kind == FindingKind::confused ? std::vector<std::string>{""} : finding.metrics;
  if (waiting != results.unexpanded.end()) {
    result.checks = {unknown("stage " + finding.stage, "", waiting->second.reason,
                             waiting->second.kind == sweeps::StageState::Kind::waiting)};
  } else {
    for (const std::string& metric : metrics) {
      const Subject subject = measure(finding, results, metric);
      std::vector<Check> checks = checks_of(subject);
      std::ranges::move(checks, std::back_inserter(result.checks));
    }
  }
  if (result.checks.empty()) {  // a stage that selects may still bring cells
    const bool open = std::ranges::any_of(results.unexpanded, [](const auto& stage) {
      return stage.second.kind == sweeps::StageState::Kind::waiting;
    });
    result.checks = {unknown(finding.cell.empty() ? "the study" : finding.cell.dump(), "",
                             "there is no such cell", open)};
  }
  adjust(result.checks);
  for (const Check& check : result.checks) {
    result.known += check.holds.has_value();
    result.held += check.holds.value_or(false);
  }
  const bool all_known = result.known == static_cast<int>(result.checks.size());
  if (result.held == result.known)
    result.verdict = all_known ? Verdict::holds : Verdict::unknown;
  else
    result.verdict = result.held == 0 ? Verdict::fails : Verdict::partly;
  result.text = verdict_text(result);
  return result;
}

std::vector<FindingResult> check_findings(const sweeps::Study& study, const StudyResults& results) {
  std::vector<FindingResult> found;
  for (const sweeps::Finding& finding : study.report.findings)
    found.push_back(check_finding(finding, results));
  return found;
}

const char* to_string(Verdict verdict) {
  constexpr const char* kNames[] = {"holds", "fails", "partly", "unknown"};
  return kNames[static_cast<std::size_t>(verdict)];
}

namespace {

std::string number(double value, int digits = 6) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

storage::Value value_of(const std::optional<double>& value) {
  return value ? storage::Value{*value} : storage::Value{};
}

}  // namespace

std::string evidence_of(const Check& check) {
  std::string text = check.holds ? (*check.holds ? "yes  " : "no   ") : "?    ";
  text += check.what;
  if (check.value)
    text += ": " + (check.metric.empty() ? "" : check.metric + " ") + number(*check.value);
  if (check.value && check.against) text += " against " + number(*check.against);
  const Estimate& difference = check.difference;
  if (difference.n > 1 && difference.ci95) {
    text += ", difference " + number(difference.mean, 3) + " ± " + number(*difference.ci95, 2) +
            " (n = " + std::to_string(difference.n);
    if (difference.p) text += ", p = " + number(*difference.p, 2);
    text += ")";
  }
  return check.note.empty() ? text : text + "; " + check.note;
}

storage::ResultTable evidence_table(const FindingResult& finding) {
  storage::ResultTable table{{"what", "metric", "holds", "value", "against", "difference", "ci95",
                              "n", "p", "p_holm", "note"},
                             {}};
  for (const Check& check : finding.checks) {
    auto& row = table.rows.emplace_back();
    row.emplace_back(check.what);
    row.emplace_back(check.metric);
    row.push_back(check.holds ? storage::Value{std::string(*check.holds ? "yes" : "no")}
                              : storage::Value{});
    row.push_back(value_of(check.value));
    row.push_back(value_of(check.against));
    const bool paired = check.difference.n > 0;
    row.push_back(paired ? storage::Value{check.difference.mean} : storage::Value{});
    row.push_back(value_of(check.difference.ci95));
    row.push_back(paired ? storage::Value{std::int64_t{check.difference.n}} : storage::Value{});
    row.push_back(value_of(check.difference.p));
    row.push_back(value_of(check.p_holm));
    row.emplace_back(check.note);
  }
  return table;
}

}  // namespace windrow::analysis
