// A trial's parameters as a program gets them.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::protocol {

// The command-line words for `parameters` (see Arguments). A text stands as it is, everything else
// as JSON, whole numbers without a point (16.0 is one cell with 16, and options that want integers
// refuse it); a parameter that is null is left out, but for hydra's null.
std::vector<std::string> argument_words(Arguments arguments, const Json& parameters);

}  // namespace windrow::protocol
