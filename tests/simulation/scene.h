// A simulated world at a moment: its machines, the studies that are run in it, and the session that
// runs now. Sessions (simulation.cpp) and faults (faults.cpp) act on it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/machine.h"
#include "tests/simulation/rank_process.h"
#include "tests/simulation/rules.h"
#include "tests/storage/fault_vfs.h"

namespace windrow::simulation {

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct SimulatedStudy {
  std::unique_ptr<Experiment> experiment;
  std::unique_ptr<Rules> rules;
  RunSettings settings;
  bool serves = false;  // workers may join
  bool over = false;
};

struct Scene {
  Scene(std::uint64_t seed, World::Tell tell);
  ~Scene();  // processes that live still end before the machines do
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Random& random() { return world.random(); }
  std::shared_ptr<RankProcess> start(Machine& machine, int rank);  // of the session's study
  // For a while a rank may seem dead, and not be.
  void disturb(std::size_t rank, double seconds);
  // A rank that lives and was left alone is heard, however long its words wait to be read: throws
  // BrokenRule where one is taken for dead.
  void judge_lost(std::size_t rank) const;

  TemporaryFolder folder;
  World world;
  storage::FaultVfs vfs;
  std::vector<std::unique_ptr<Machine>> machines;
  std::size_t breakable = 0;  // the machine that may break
  Cluster cluster;
  std::vector<SimulatedStudy> studies;
  std::vector<std::weak_ptr<RankProcess>> processes;  // ever started
  int workers_ever = 0;

  // What happens but once in a world.
  bool has_broken = false, starts_refused = false, has_cancelled = false, has_flooded = false;

  // Of the session.
  SimulatedStudy* study = nullptr;
  std::shared_ptr<Network> network;
  std::shared_ptr<Lobby> lobby;  // nullptr: no worker may join
  std::vector<std::shared_ptr<RankProcess>> ranks;
  std::vector<std::shared_ptr<RankProcess>> workers;
  std::vector<Time> disturbed_until;  // by rank
};

}  // namespace windrow::simulation
