#include "orchestrator/results/texts.h"

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

storage::Value to_value(const sweeps::Json& json) {
  if (json.is_null()) return {};
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  return json.dump();
}

}  // namespace windrow
