// What batch systems and people send to stop a run.
#pragma once

#include <csignal>
#include <utility>

namespace windrow {

inline constexpr std::pair<int, const char*> kStopSignals[] = {{SIGINT, "SIGINT"},
                                                               {SIGTERM, "SIGTERM"},
                                                               {SIGHUP, "SIGHUP"},
                                                               {SIGUSR1, "SIGUSR1"},
                                                               {SIGUSR2, "SIGUSR2"}};
// A SIGTERM is followed by a SIGKILL: Slurm's KillWait is 30 s.
inline constexpr double kTerminateSeconds = 20;

}  // namespace windrow
