#include "orchestrator/results/texts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "orchestrator/results/report_table.h"

namespace windrow {

std::string exact_text(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

std::string signed_interval(double mean, double half_width) {
  return (mean < 0 ? "−" : "+") + with_interval(std::abs(mean), half_width);
}

std::string p_text(double p) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.2g", p);
  return p < 0.001 ? "<0.001" : buffer;
}

std::string text_of(const storage::Value& value) {
  const auto* found = std::get_if<std::string>(&value);
  return found != nullptr ? *found : "";
}

std::optional<double> number_of(const storage::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<std::size_t> find_column(const storage::ResultTable& table, const std::string& key) {
  const auto found = std::ranges::find(table.columns, key);
  if (found == table.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.columns.begin());
}

storage::Value to_value(const sweeps::Json& json) {
  if (json.is_null()) return {};
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_boolean()) return json.get<bool>();
  return json.dump();
}

}  // namespace windrow
