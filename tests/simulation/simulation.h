// Whole runs in a simulated world, from one seed: the real coordinator, agents, slots, transport
// and store, with machines, links, disks, trainers and time played for them, and faults of many
// kinds. Whatever happens, the study reaches its end, and the database says what is true.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/simulation/world.h"

namespace windrow::simulation {

struct Outcome {
  std::map<std::string, int> faults;  // how often each fired
  int sessions = 0, trials = 0, epochs = 0;
  double seconds = 0;  // simulated
};

// All kinds of faults that there are, by their names in Outcome.
const std::vector<std::string>& fault_kinds();

// Throws BrokenRule. One at a time: SQLite's files are played for it too.
Outcome simulate(std::uint64_t seed, World::Tell tell = {});

}  // namespace windrow::simulation
