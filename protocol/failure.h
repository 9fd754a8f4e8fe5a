// The kinds of failure an attempt can end with. Each has its own retry budget (see
// orchestrator/scheduler); the names are what users see in the `failures` view.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace windrow::protocol {

// What a trainer may say of its attempt. What only the orchestrator can know is not here: that a
// trainer hangs, that its host is lost, that it was asked to stop.
enum class TrainerFailure {
  nan,    // a loss or metric became NaN: never retried
  oom,    // out of memory, on the host or the device
  cuda,   // a CUDA error other than out of memory
  crash,  // anything else
  data,   // the data are missing or damaged
  spec,   // the parameters are refused: never retried
  gang,   // another member of its gang was lost: costs nothing
};

// What is recorded of an attempt.
enum class FailureKind {
  nan,
  oom,
  cuda,
  hang,       // no sign of progress for longer than the limit
  crash,      // the trainer died or left with an error
  node,       // the agent (its rank, its host) was lost: costs nothing
  preempted,  // stopped on request, or by a signal that this rank got too: costs nothing
  data,
  spec,
  gang,
  cancelled,  // on request (`windrow cancel`): never retried
};

inline constexpr std::array<std::string_view, 7> kTrainerFailureNames = {
    "nan", "oom", "cuda", "crash", "data", "spec", "gang"};
inline constexpr std::array<std::string_view, 11> kFailureKindNames = {
    "nan",       "oom",  "cuda", "hang", "crash",    "node",
    "preempted", "data", "spec", "gang", "cancelled"};

constexpr std::string_view to_string(TrainerFailure kind) {
  return kTrainerFailureNames[static_cast<std::size_t>(kind)];
}
constexpr std::string_view to_string(FailureKind kind) {
  return kFailureKindNames[static_cast<std::size_t>(kind)];
}

// Kinds whose cause may be the machine.
constexpr bool may_be_machines(FailureKind kind) {
  return kind == FailureKind::crash || kind == FailureKind::cuda || kind == FailureKind::hang ||
         kind == FailureKind::data;
}

constexpr std::optional<FailureKind> failure_kind(std::string_view name) {
  for (std::size_t i = 0; i < kFailureKindNames.size(); ++i)
    if (kFailureKindNames[i] == name) return static_cast<FailureKind>(i);
  return std::nullopt;
}
constexpr std::optional<TrainerFailure> trainer_failure(std::string_view name) {
  for (std::size_t i = 0; i < kTrainerFailureNames.size(); ++i)
    if (kTrainerFailureNames[i] == name) return static_cast<TrainerFailure>(i);
  return std::nullopt;
}

constexpr FailureKind recorded_kind(TrainerFailure said) {
  return *failure_kind(to_string(said));
}

// How far an attempt came before it failed, which tells whom to suspect: the host, the slot or the
// trial.
enum class Reached {
  nothing,  // its trainer did not become ready, or could not be started
  ready,    // the trainer was ready, but said nothing of this attempt
  started,  // it said that it trains
  epoch,    // it reported an epoch in this attempt
};
inline constexpr std::array<std::string_view, 4> kReachedNames = {"nothing", "ready", "started",
                                                                  "epoch"};
constexpr std::string_view to_string(Reached reached) {
  return kReachedNames[static_cast<std::size_t>(reached)];
}

}  // namespace windrow::protocol
