// When the run must be over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "protocol/messages.h"

namespace windrow {

using WallTime = std::chrono::system_clock::time_point;

// Of --until: "18:30[:05]" (the next such time of day), "2026-05-01T18:30[:05]", both local, or
// "+90m", "+2h", "+45s", "+1h30m" from `now`. Throws std::runtime_error with the forms.
WallTime parse_until(const std::string& text, WallTime now);

// The end of the Slurm job that this process runs in, as SLURM_JOB_END_TIME or, in versions that
// don't set it, `scontrol show job` tells; nullopt outside of a job or where neither does.
std::optional<WallTime> slurm_end_time();

// When work must be over, and the batch job whose end that may be.
struct TimeLimit {
  std::optional<WallTime> until;  // of --until, else the job's end; nullopt: never
  protocol::BatchJob job;         // with its end, where the batch system says it
};
// Asks the batch system, so not for each rank. Throws as parse_until() does.
TimeLimit time_limit(const std::string& until_option);

std::int64_t unix_ms(const std::optional<WallTime>& time);  // 0 for none

// The EndTime of `scontrol show job`'s output.
std::optional<WallTime> end_time_in(const std::string& scontrol_output);

}  // namespace windrow
