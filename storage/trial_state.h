// The states of a trial, as the database and everything above it know them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace windrow::storage {

// The numbers are stored: never change or reuse one.
enum class TrialState { pending = 0, running = 1, finished = 2, failed = 3 };

inline constexpr std::array<std::string_view, 4> kTrialStateNames = {"pending", "running",
                                                                     "finished", "failed"};

constexpr std::string_view to_string(TrialState state) {
  return kTrialStateNames[static_cast<std::size_t>(state)];
}

}  // namespace windrow::storage
