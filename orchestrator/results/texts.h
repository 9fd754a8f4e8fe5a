// Tables' columns and values, and how tables for people have them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "storage/result_table.h"
#include "sweeps/study.h"

namespace windrow {

std::string exact_text(double value);                          // six significant digits
std::string signed_interval(double mean, double half_width);   // "+0.10 ± 0.02"
std::string p_text(double p);                                  // "0.013", "<0.001"
std::string text_of(const storage::Value& value);              // "" where it is no text
storage::Value to_value(const sweeps::Json& json);             // lists and maps as their JSON
std::optional<double> number_of(const storage::Value& value);  // nullopt where it is none
std::optional<std::size_t> find_column(const storage::ResultTable& table, const std::string& key);

}  // namespace windrow
