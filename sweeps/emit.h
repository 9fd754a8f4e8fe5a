// A study written as YAML. Internal to sweeps/.
#pragma once

#include <string>

#include "sweeps/study.h"

namespace windrow::sweeps {

// Parsing what it returns gives the same study, hash included.
std::string to_yaml(const Study& study);

}  // namespace windrow::sweeps
