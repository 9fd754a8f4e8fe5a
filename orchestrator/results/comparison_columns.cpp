#include "orchestrator/results/comparison_columns.h"

#include <algorithm>
#include <cstdio>

namespace windrow {
namespace {

using storage::ResultTable;
using storage::Value;

// Columns that no view has, whatever parameters and metrics are called.
constexpr const char* kMark = "\x01mark";
const std::string kOwn = "\x01";
constexpr const char* kDagger = "†";
constexpr const char* kBest = "best";

std::string text(const Value& value) {
  const auto* found = std::get_if<std::string>(&value);
  return found != nullptr ? *found : "";
}

std::string exact_text(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

std::string signed_interval(double mean, double half_width) {
  const std::string size = with_interval(mean < 0 ? -mean : mean, half_width);
  return (mean < 0 ? "−" : "+") + size;
}

std::string p_text(double p) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.2g", p);
  return p < 0.001 ? "<0.001" : buffer;
}

}  // namespace

void add_column(ResultTable& table, const std::string& name, std::vector<Value> values) {
  table.columns.push_back(name);
  for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i].push_back(std::move(values[i]));
}

void add_comparison_for_people(ResultTable& summary, TableWishes& wishes,
                               const analysis::Comparison& compared, bool adjusted) {
  std::vector<Value> differences, ps, marks;
  for (const analysis::AgainstBest& cell : compared.cells) {
    const auto p = adjusted ? cell.p_holm : cell.difference.p;
    const bool known = p && cell.difference.ci95;
    differences.push_back(
        known ? Value{signed_interval(cell.difference.mean, *cell.difference.ci95)} : Value{});
    ps.push_back(known ? Value{p_text(*p)} : Value{});
    marks.emplace_back(cell.is_best ? kBest : known && *p >= 0.05 ? kDagger : "");
  }
  add_column(summary, kOwn + "difference", std::move(differences));
  add_column(summary, kOwn + "p", std::move(ps));
  add_column(summary, kMark, std::move(marks));
  wishes.columns.push_back({kOwn + "difference", "− best"});
  wishes.columns.push_back({kOwn + "p", "p"});
  wishes.columns.push_back({kMark, kMark});
}

void add_comparison_for_programs(ResultTable& summary, TableWishes& wishes,
                                 const analysis::Comparison& compared) {
  std::vector<Value> best, mean, ci95, n, p, p_holm;
  const auto value = [](const std::optional<double>& number) {
    return number ? Value{*number} : Value{};
  };
  for (const analysis::AgainstBest& cell : compared.cells) {
    const analysis::Estimate& difference = cell.difference;
    best.emplace_back(std::int64_t{cell.is_best});
    mean.push_back(difference.n > 0 ? Value{difference.mean} : Value{});
    n.push_back(cell.is_best ? Value{} : Value{std::int64_t{difference.n}});
    ci95.push_back(value(difference.ci95));
    p.push_back(value(difference.p));
    p_holm.push_back(value(cell.p_holm));
  }
  const auto add = [&](const char* name, std::vector<Value>& values) {
    add_column(summary, kOwn + name, std::move(values));
    wishes.columns.push_back({kOwn + name, name});
  };
  add("is_best", best);
  add("difference", mean);
  add("difference_ci95", ci95);
  add("difference_n", n);
  add("p", p);
  add("p_holm", p_holm);
}

void place_marks(StudyTable& out, const TableWishes& wishes, const std::string& metric,
                 bool adjusted) {
  if (out.table.columns.empty() || out.table.columns.back() != kMark) return;
  const auto column = std::ranges::find(wishes.columns, metric, &sweeps::ReportColumn::key);
  const auto at = static_cast<std::size_t>(column - wishes.columns.begin());
  const bool shown = column != wishes.columns.end();
  out.table.columns.pop_back();
  for (std::size_t row = 0; row < out.table.rows.size(); ++row) {
    auto& values = out.table.rows[row];
    const std::string mark = text(values.back());
    values.pop_back();
    if (mark == kBest) out.emphasized.emplace(row, shown ? at : 0);
    if (mark != kDagger) continue;
    Value& value = values[shown ? at : values.size() - 1];
    if (const auto* number = std::get_if<double>(&value)) value = exact_text(*number);
    value = text(value) + " " + kDagger;
  }
  out.notes.push_back("Best " + metric + " marked; − best: paired difference over the seeds.");
  out.notes.push_back(std::string(kDagger) +
                      " not distinguishable from the best at 5% (paired t-test" +
                      (adjusted ? ", p adjusted by Holm's method)." : ", p as it is)."));
}

}  // namespace windrow
