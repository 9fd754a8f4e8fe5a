#include "orchestrator/report/trial_rows.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace windrow::report {
namespace {

using storage::Value;

std::optional<double> as_number(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1.0 : 0.0;
  return std::nullopt;
}

// A value of a table against one of the study file.
bool equal(const Value& value, const sweeps::Json& wanted) {
  if (wanted.is_null()) return std::holds_alternative<std::monostate>(value);
  if (wanted.is_string()) {
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr && *text == wanted.get_ref<const std::string&>();
  }
  const auto number = as_number(value);
  if (!number) return false;
  return *number == (wanted.is_boolean() ? (wanted.get<bool>() ? 1.0 : 0.0) : wanted.get<double>());
}

}  // namespace

TrialRows::TrialRows(storage::Reader& reader, const sweeps::Study& study,
                     const sweeps::Figure& figure)
    : table_(reader.tables(study.name, figure.stage).trials) {
  const auto stages = column_of("stages");
  std::erase_if(table_.rows, [&](const std::vector<Value>& row) {
    const auto* text = stages ? std::get_if<std::string>(&row[*stages]) : nullptr;
    return text == nullptr || text->empty() || !matches(row, figure.where);
  });
}

std::optional<std::size_t> TrialRows::column_of(const std::string& key) const {
  const auto find = [&](const std::string& name) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(table_.columns, name);
    if (found == table_.columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - table_.columns.begin());
  };
  const auto plain = find(key);
  return plain ? plain : find(key + "_parameter");
}

bool TrialRows::matches(const std::vector<Value>& row, const sweeps::Json& where) const {
  static const Value null;
  for (const auto& [key, wanted] : where.items()) {
    // A parameter that shares its name with another column is meant, not that column.
    const auto renamed = column_of(key + "_parameter");
    const auto column = renamed ? renamed : column_of(key);
    const Value& value = column ? row[*column] : null;
    if (std::ranges::none_of(wanted, [&](const auto& one) { return equal(value, one); }))
      return false;
  }
  return true;
}

const Value& TrialRows::value(std::size_t row, const std::string& key) const {
  static const Value null;
  const auto column = column_of(key);
  return column ? table_.rows[row][*column] : null;
}

std::optional<double> TrialRows::number(std::size_t row, const std::string& key) const {
  return as_number(value(row, key));
}

std::int64_t TrialRows::trial(std::size_t row) const {
  return std::get<std::int64_t>(value(row, "trial"));
}

std::string TrialRows::text(std::size_t row, const std::string& key) const {
  return value_text(value(row, key));
}

std::vector<std::string> TrialRows::differing(const std::vector<std::string>& keys) const {
  std::vector<std::string> found;
  for (const std::string& key : keys)
    for (std::size_t row = 1; row < size(); ++row)
      if (value(row, key) != value(0, key)) {
        found.push_back(key);
        break;
      }
  return found;
}

std::vector<Group> group_by(const TrialRows& trials, const std::vector<std::string>& keys,
                            const sweeps::Report& report) {
  std::vector<Group> groups;
  std::map<std::vector<Value>, std::size_t> index;
  for (std::size_t row = 0; row < trials.size(); ++row) {
    std::vector<Value> values;
    for (const std::string& key : keys) values.push_back(trials.value(row, key));
    const auto [found, is_new] = index.emplace(values, groups.size());
    if (is_new) {
      Group& group = groups.emplace_back();
      for (const std::string& key : keys) {
        if (!group.label.empty()) group.label += ", ";
        // A word says by itself what it is; a number doesn't.
        const bool is_word = std::holds_alternative<std::string>(trials.value(row, key));
        group.label += (is_word ? "" : heading(report, key) + " ") + trials.text(row, key);
      }
    }
    groups[found->second].rows.push_back(row);
  }
  return groups;
}

std::string heading(const sweeps::Report& report, const std::string& key) {
  for (const sweeps::ReportColumn& column : report.columns)
    if (column.key == key && column.last_epochs == 0 && !column.label.empty()) return column.label;
  return key;
}

std::string value_text(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr) return "none";
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", *real);
  return buffer;
}

}  // namespace windrow::report
