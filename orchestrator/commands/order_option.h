// The option --order, alike in every command.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::commands {

inline void add_order_option(CLI::App& command, scheduler::Order& order) {
  static const std::map<std::string, scheduler::Order> kOrders = {
      {"longest", scheduler::Order::longest}, {"breadth", scheduler::Order::breadth}};
  command
      .add_option("--order", order,
                  "longest: the longest expected trial first, which ends soonest; breadth: the "
                  "first seed of all cells, then the second one of all, so that a run that is "
                  "stopped has a whole table (default: longest)")
      ->transform(CLI::CheckedTransformer(kOrders))
      ->type_name("longest|breadth");
}

}  // namespace windrow::commands
