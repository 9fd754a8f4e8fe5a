#include "orchestrator/results/comparison_columns.h"

#include <algorithm>
#include <cstdio>

#include "orchestrator/results/texts.h"

namespace windrow {
namespace {

using storage::ResultTable;
using storage::Value;

// Columns that no view has, whatever parameters and metrics are called.
constexpr const char* kMark = "\x01mark";
const std::string kOwn = "\x01";
constexpr const char* kDagger = "†";
constexpr const char* kBest = "best";

std::string with_digits(double share) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.2f", share);
  return buffer;
}

std::string count(double number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.4g", number);
  return buffer;
}

// What so many seeds can say at all, and how far the two best are from being told apart.
void add_notes_of_few_seeds(StudyTable& out, const analysis::Comparison& compared) {
  constexpr double kLevel = 0.05;
  if (!compared.second) return;
  const analysis::AgainstBest& second = compared.cells[*compared.second];
  const analysis::Superiority& better = second.best_better;
  std::string text = "The best is better than the second best on " + count(better.above) + " of " +
                     std::to_string(better.n) + " seeds: P = " + with_digits(better.share) + " (" +
                     with_digits(better.low) + " to " + with_digits(better.high) + ")";
  if (compared.seeds_for_second && *compared.seeds_for_second > better.n)
    text += "; " + std::to_string(*compared.seeds_for_second) +
            " seeds would tell them apart, were the difference as seen (power 0.8)";
  out.notes.push_back(text + ".");
  if (const double least = analysis::least_sign_flip_p(better.n); least > kLevel)
    out.notes.push_back("With " + std::to_string(better.n) +
                        " seeds a paired sign-flip test can't go below p = " + count(least) +
                        ": a smaller p rests on normally distributed differences.");
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
  std::vector<Value> best, mean, ci95, n, p, p_holm, share, low, high;
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
    const analysis::Superiority& better = cell.best_better;
    share.push_back(better.n > 0 ? Value{better.share} : Value{});
    low.push_back(better.n > 0 ? Value{better.low} : Value{});
    high.push_back(better.n > 0 ? Value{better.high} : Value{});
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
  add("best_better", share);
  add("best_better_low", low);
  add("best_better_high", high);
}

void place_marks(StudyTable& out, const TableWishes& wishes, const std::string& metric,
                 const analysis::Comparison& compared, bool adjusted) {
  if (out.table.columns.empty() || out.table.columns.back() != kMark) return;
  const auto column = std::ranges::find(wishes.columns, metric, &sweeps::ReportColumn::key);
  const auto at = static_cast<std::size_t>(column - wishes.columns.begin());
  const bool shown = column != wishes.columns.end();
  bool any_dagger = false;
  out.table.columns.pop_back();
  for (std::size_t row = 0; row < out.table.rows.size(); ++row) {
    auto& values = out.table.rows[row];
    const std::string mark = text_of(values.back());
    values.pop_back();
    if (mark == kBest) out.emphasized.emplace(row, shown ? at : 0);
    if (mark != kDagger) continue;
    any_dagger = true;
    Value& value = values[shown ? at : values.size() - 1];
    if (const auto* number = std::get_if<double>(&value)) value = exact_text(*number);
    value = text_of(value) + " " + kDagger;
  }
  out.notes.push_back("Best " + metric + " of " + std::to_string(compared.of) +
                      " cells marked; − best: paired difference over the seeds; p: paired t-test" +
                      (adjusted ? ", adjusted by Holm's method." : ", as it is."));
  if (any_dagger)
    out.notes.push_back(std::string(kDagger) + " not distinguishable from the best at 5%.");
  add_notes_of_few_seeds(out, compared);
}

}  // namespace windrow
