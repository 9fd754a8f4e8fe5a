// The kinds of failure an attempt can end with. Each has its own retry budget (see
// orchestrator/scheduler); the names are what users see in the `failures` view.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace windrow::protocol {

enum class FailureKind {
  nan,        // a loss or metric became NaN: never retried
  oom,        // out of memory, on the host or the device
  cuda,       // a CUDA error other than out of memory
  hang,       // no sign of progress for longer than the limit
  crash,      // the trainer died or left with an error
  node,       // the agent (its rank, its host) was lost: costs nothing
  preempted,  // stopped on request after a checkpoint: costs nothing
  data,       // the data are missing or damaged
  spec,       // the trainer refuses the parameters: never retried
};

inline constexpr std::array<std::string_view, 9> kFailureKindNames = {
    "nan", "oom", "cuda", "hang", "crash", "node", "preempted", "data", "spec"};

constexpr std::string_view to_string(FailureKind kind) {
  return kFailureKindNames[static_cast<std::size_t>(kind)];
}

constexpr std::optional<FailureKind> failure_kind(std::string_view name) {
  for (std::size_t i = 0; i < kFailureKindNames.size(); ++i)
    if (kFailureKindNames[i] == name) return static_cast<FailureKind>(i);
  return std::nullopt;
}

}  // namespace windrow::protocol
