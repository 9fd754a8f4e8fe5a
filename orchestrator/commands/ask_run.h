// Asking the run that works on a database, on whichever host it is.
#pragma once

#include <string>

#include "orchestrator/control/requests.h"

namespace windrow::commands {

// Whether a run works on it, as far as can be told from here; else why not.
bool run_is_there(const std::string& database, std::string& why_not);

// Asks it and prints its answer. The exit code: 0, or 1 where none came.
int ask_run(const std::string& database, const control::Request& request);

}  // namespace windrow::commands
