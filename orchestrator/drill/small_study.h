// The study of a drill: its trials train nothing, but what an epoch gives depends on all epochs
// before it, so that a resume from the wrong state shows in the numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace windrow::drill {

inline constexpr int kEpochs = 12;
inline constexpr int kEpochMilliseconds = 100;
inline constexpr double kHangSeconds = 3;  // without a word of its trainer
inline constexpr int kDeedEpoch = 4;       // from which on a trainer does its deed

// `folder` is for this fault alone, on a disk that all hosts share.
std::string study_text(const std::filesystem::path& folder, int trials);

// The state after an epoch of trial x, from the one before; that of epoch 0 is x.
std::uint64_t next_state(std::uint64_t state, int epoch);
std::uint64_t state_after(std::uint64_t x, int epochs);
std::string state_hash(std::uint64_t state);

}  // namespace windrow::drill
