// Asking the run that works on a database, on whichever host it is.
#pragma once

#include <string>

#include "orchestrator/control/requests.h"

namespace windrow::commands {

// Why no run can be asked, as far as can be told from here; "" = one works on it.
std::string no_run_fault(const std::string& database);

// Asks it and prints its answer. The exit code: 0, or 1 where none came.
int ask_run(const std::string& database, const control::Request& request);

}  // namespace windrow::commands
