// A trial's parameters as a program gets them.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::protocol {

// The parameters with whole numbers written as such: 16.0 and 16 are one cell, which must be one
// and the same to the program too.
Json plain_parameters(const Json& parameters);

// The command-line words for `parameters` (see Arguments). A text stands as it is, everything else
// as JSON; a parameter that is null is left out, but for hydra's null.
std::vector<std::string> argument_words(Arguments arguments, const Json& parameters);

}  // namespace windrow::protocol
