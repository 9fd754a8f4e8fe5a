// The Python program that writes results in another tool's form (results.py).
#pragma once

#include <string_view>

namespace windrow::exporting {

extern const std::string_view results_script;

}  // namespace windrow::exporting
