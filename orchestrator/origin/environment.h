// What a trainer finds around it on this host: the facts that a result may hang on.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::origin {

// An object of texts and lists, what is not there left out: cpu, gpus, driver, os, kernel, python
// (the environment's folder), packages ("numpy 2.1.0", of that folder), conda, modules, container,
// cuda. `root` stands for "/" in tests.
protocol::Json environment_facts(const std::vector<std::string>& command,
                                 const std::string& root = "");

}  // namespace windrow::origin
