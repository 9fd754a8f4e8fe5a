// Numbers and values as tables for people have them.
#pragma once

#include <string>

#include "storage/result_table.h"
#include "sweeps/study.h"

namespace windrow {

std::string exact_text(double value);                         // six significant digits
std::string signed_interval(double mean, double half_width);  // "+0.10 ± 0.02"
std::string p_text(double p);                                 // "0.013", "<0.001"
storage::Value to_value(const sweeps::Json& json);            // lists and maps as their JSON

}  // namespace windrow
