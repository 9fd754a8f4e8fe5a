// The option --gang, alike in every command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::commands {

inline CLI::Option* add_gang_option(CLI::App& command, std::string& gang) {
  return command
      .add_option("--gang", gang,
                  "how many slots train a trial together, where its parameter shards allows it: "
                  "off, a number, or auto (slots that nothing waits for, as many as was measured "
                  "to be worth it)")
      ->check(CLI::IsMember({"off", "auto"}) | CLI::Range(2, 1024))
      ->capture_default_str();
}

inline scheduler::GangPolicy gang_policy(const std::string& gang) {
  if (gang == "auto") return {.automatic = true};
  return {.members = gang == "off" ? 1 : std::stoi(gang)};
}

}  // namespace windrow::commands
