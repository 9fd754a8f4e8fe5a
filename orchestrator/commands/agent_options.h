// What says how an agent works, alike for `windrow run` and `windrow work`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "orchestrator/agent/devices.h"
#include "orchestrator/console/console.h"

namespace windrow::commands {

inline void add_slot_options(CLI::App& command, SlotWishes& slots) {
  command.add_option("--device", slots.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--slots", slots.slots,
                     "slots of this rank (default: its GPUs, else its cores / threads per slot)");
  command.add_option("--threads-per-slot", slots.threads_per_slot,
                     "CPU threads of each slot (default: 1; on GPUs the rank's cores / slots)");
}

// When it stops: `within_seconds` of a stop, and before the time `until`.
inline void add_stop_options(CLI::App& command, double& within_seconds, std::string& until) {
  command
      .add_option("--stop-within", within_seconds,
                  "seconds after a stop by which what still runs is killed; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--until", until,
                     "begin no epoch that can't end before: 18:30, 2026-05-01T08:00, +90m "
                     "(default: the end of the Slurm job, where there is one)");
}

struct VerbosityFlags {
  bool quiet = false, verbose = false;
  Console::Verbosity verbosity() const {
    return verbose ? Console::Verbosity::debug
           : quiet ? Console::Verbosity::quiet
                   : Console::Verbosity::normal;
  }
};

inline void add_verbosity_flags(CLI::App& command, VerbosityFlags& flags) {
  command.add_flag("-q,--quiet", flags.quiet, "errors only");
  command.add_flag("-v,--verbose", flags.verbose, "also what trainers write");
}

}  // namespace windrow::commands
