// The trainer of a drill's study: it speaks the line protocol, and does the deed that is ordered.
#pragma once

#include <filesystem>

namespace windrow::drill {

// Reads orders from stdin until its end.
void run_trainer(const std::filesystem::path& folder);

}  // namespace windrow::drill
