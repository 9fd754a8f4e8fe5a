// A machine of the simulated cluster, and what all its processes share with those of others.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/experiment.h"
#include "tests/simulation/shared_folder.h"
#include "tests/simulation/world.h"

namespace windrow::simulation {

struct Machine {
  std::string name;
  Time broken_until{};     // every trial fails here, at once
  int broken_slot = -1;    // on this slot alone; -1: on all
  bool wedged = false;     // its next process that is killed outlives that for a while
  int refused_starts = 0;  // no process is to be had, so many times
};

class SimulatedProcess;

struct Cluster {
  World& world;
  SharedFolder folder;
  std::map<std::string, Experiment*> experiments;  // by the study's number, as trainers get it
  std::map<std::uint64_t, int> training;           // trial's key -> process that trains it
  int processes = 0;                               // ever started
  std::vector<std::weak_ptr<SimulatedProcess>> living;
  // HOST:PORT -> the process that leads a gang there; it may be gone.
  std::map<std::string, std::weak_ptr<SimulatedProcess>> leads;

  // Of the session, where all ranks stay: a retry goes to a machine where the trial has not failed.
  bool all_stay = false;
  std::string breakable;               // the one that may be taken out of service
  bool drained = false;                // a slot: it bears the blame for what failed there
  std::map<std::string, Time> joined;  // machines
  struct Failure {
    Time at;
    int attempt = 1;
  };
  std::map<std::uint64_t, std::map<std::string, Failure>> failed;  // trial's key -> where last
};

}  // namespace windrow::simulation
