#include "orchestrator/results/report_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "orchestrator/results/texts.h"
#include "protocol/nearest.h"

namespace windrow {
namespace {

using storage::ResultTable;
using storage::Value;

constexpr const char* kFixed[] = {"trial", "study",  "stages",  "cell",         "seed",
                                  "state", "n",      "epochs",  "wall_seconds", "failure",
                                  "host",  "device", "attempts"};

bool is_fixed(const std::string& column) {
  return std::find(std::begin(kFixed), std::end(kFixed), column) != std::end(kFixed);
}

}  // namespace

ColumnKinds::ColumnKinds(const sweeps::Expansion& expansion) : varying_(expansion.varying) {
  for (const sweeps::Cell& cell : expansion.cells)
    for (const auto& [name, value] : cell.parameters.items()) parameters_.insert(name);
}

bool ColumnKinds::is_metric(const std::string& key) const {
  constexpr std::string_view kSuffix = "_parameter";
  const bool renamed = key.ends_with(kSuffix);
  return !is_fixed(key) &&
         !parameters_.contains(renamed ? key.substr(0, key.size() - kSuffix.size()) : key);
}

std::vector<sweeps::ReportColumn> default_columns(const ResultTable& table,
                                                  const ColumnKinds& kinds, bool one_seed,
                                                  std::string_view suffix) {
  std::vector<sweeps::ReportColumn> columns;
  for (const std::string& key : kinds.varying()) {
    const std::string renamed = key + "_parameter";
    const std::string& column = find_column(table, renamed) ? renamed : key;
    if (find_column(table, column)) columns.push_back({column, key});
  }
  if (find_column(table, "seed") && !one_seed) columns.push_back({"seed", "seed"});
  for (const std::string& column : table.columns) {
    if (!column.ends_with(suffix)) continue;
    const std::string key = column.substr(0, column.size() - suffix.size());
    if (kinds.is_metric(key)) columns.push_back({key, key});
  }
  columns.push_back({"epochs", "epochs"});
  columns.push_back({"wall_seconds", "wall_seconds"});
  return columns;
}

void refuse_column(const std::string& key, const ResultTable& table, std::string_view suffix) {
  std::vector<std::string> names;
  for (const std::string& column : table.columns)
    if (column.ends_with(suffix)) names.push_back(column.substr(0, column.size() - suffix.size()));
  throw std::runtime_error("no column \"" + key + "\" in this study's results; " +
                           suggestion(key, names));
}

namespace {

// Numbers and truth values, then texts, then NULL.
int rank(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return 2;
  return std::holds_alternative<std::string>(value) ? 1 : 0;
}

// Of values of one rank.
bool before(const Value& a, const Value& b) {
  const auto number = [](const Value& value) {
    const auto* integer = std::get_if<std::int64_t>(&value);
    if (integer != nullptr) return static_cast<double>(*integer);
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1.0 : 0.0;
    return std::get<double>(value);
  };
  if (rank(a) == 0) return number(a) < number(b);
  return rank(a) == 1 && std::get<std::string>(a) < std::get<std::string>(b);
}

std::vector<std::size_t> row_order(const ResultTable& table, std::optional<std::size_t> column,
                                   bool descending) {
  std::vector<std::size_t> order(table.rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (!column) return order;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Value &left = table.rows[a][*column], &right = table.rows[b][*column];
    // What is no number comes last either way.
    if (rank(left) != rank(right)) return rank(left) < rank(right);
    return descending ? before(right, left) : before(left, right);
  });
  return order;
}

}  // namespace

std::string with_interval(double mean, double half_width) {
  char text[96];
  if (!(half_width > 0) || !std::isfinite(half_width)) {
    std::snprintf(text, sizeof text, "%.6g ± %.2g", mean, half_width);
    return text;
  }
  constexpr int kMostDecimals = 9;
  const int decimals = std::max(1 - static_cast<int>(std::floor(std::log10(half_width))), 0);
  if (decimals > kMostDecimals)
    std::snprintf(text, sizeof text, "%.6g ± %.2g", mean, half_width);
  else
    std::snprintf(text, sizeof text, "%.*f ± %.*f", decimals, mean, decimals, half_width);
  return text;
}

namespace {

std::string label_of(const sweeps::ReportColumn& column) {
  return column.label.empty() ? column.key : column.label;
}

}  // namespace

ResultTable trials_report(const ResultTable& trials, const TableWishes& wishes) {
  ResultTable report;
  std::vector<std::size_t> at;
  for (const sweeps::ReportColumn& column : wishes.columns) {
    const auto found = find_column(trials, column.key);
    // A view leaves out columns that are null in every row.
    if (!found && trials.rows.empty()) continue;
    if (!found) refuse_column(column.key, trials, "");
    report.columns.push_back(label_of(column));
    at.push_back(*found);
  }
  std::optional<std::size_t> sort_at;
  if (!wishes.sort_by.empty() && !trials.rows.empty()) {
    sort_at = find_column(trials, wishes.sort_by);
    if (!sort_at) refuse_column(wishes.sort_by, trials, "");
  }
  for (const std::size_t row : row_order(trials, sort_at, wishes.descending)) {
    auto& out = report.rows.emplace_back();
    for (const std::size_t column : at) out.push_back(trials.rows[row][column]);
  }
  return report;
}

namespace {

// Where a key's values stand in the summary view.
struct SummaryColumn {
  std::string label;
  std::size_t at = 0;               // of the value or the mean
  std::optional<std::size_t> ci95;  // of a metric's half-width
  bool is_mean = false;
};

SummaryColumn find_summary_column(const ResultTable& summary, const sweeps::ReportColumn& column) {
  if (const auto mean = find_column(summary, column.key + "_mean"))
    return {label_of(column), *mean, find_column(summary, column.key + "_ci95"), true};
  if (const auto plain = find_column(summary, column.key))
    return {label_of(column), *plain, std::nullopt, false};
  refuse_column(column.key, summary, "_mean");
}

}  // namespace

ResultTable summary_report(const ResultTable& summary, const TableWishes& wishes,
                           Interval interval) {
  const auto& wanted = wishes.columns;
  ResultTable report;
  if (summary.rows.empty()) return report;
  std::vector<SummaryColumn> columns;
  for (const sweeps::ReportColumn& column : wanted)
    columns.push_back(find_summary_column(summary, column));
  if (std::none_of(wanted.begin(), wanted.end(), [](const auto& c) { return c.key == "n"; }))
    columns.push_back(find_summary_column(summary, {"n", "n"}));
  for (const SummaryColumn& column : columns) {
    report.columns.push_back(column.label);
    if (column.is_mean && interval == Interval::separate)
      report.columns.push_back(column.label + "_ci95");
  }
  std::optional<std::size_t> sort_at;
  if (!wishes.sort_by.empty()) sort_at = find_summary_column(summary, {wishes.sort_by, ""}).at;
  for (const std::size_t index : row_order(summary, sort_at, wishes.descending)) {
    const auto& row = summary.rows[index];
    auto& out = report.rows.emplace_back();
    for (const SummaryColumn& column : columns) {
      const Value half_width = column.ci95 ? row[*column.ci95] : Value{};
      const auto* mean = std::get_if<double>(&row[column.at]);
      const auto* width = std::get_if<double>(&half_width);
      if (interval == Interval::joined && mean != nullptr && width != nullptr)
        out.emplace_back(*width == 0 ? Value{*mean} : Value{with_interval(*mean, *width)});
      else
        out.push_back(row[column.at]);
      if (column.is_mean && interval == Interval::separate) out.push_back(half_width);
    }
  }
  return report;
}

}  // namespace windrow
