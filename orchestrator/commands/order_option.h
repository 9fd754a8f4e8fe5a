// The option --order, alike in every command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::commands {

inline void add_order_option(CLI::App& command, std::string& order) {
  command
      .add_option("--order", order,
                  "longest: the longest expected trial first, which ends soonest; breadth: the "
                  "first seed of all cells, then the second one of all, so that a run that is "
                  "stopped has a whole table")
      ->check(CLI::IsMember({"longest", "breadth"}))
      ->capture_default_str();
}

inline scheduler::Order order_of(const std::string& order) {
  return order == "breadth" ? scheduler::Order::breadth : scheduler::Order::longest;
}

}  // namespace windrow::commands
