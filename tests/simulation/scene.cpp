#include "tests/simulation/scene.h"

#include <stdlib.h>

#include <algorithm>
#include <stdexcept>

namespace windrow::simulation {

namespace fs = std::filesystem;
using storage::FaultVfs;

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "windrow-simulate-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

// The folder's name is no seed's.
static World::Tell without(const std::string& folder, World::Tell tell) {
  if (!tell) return {};
  return [folder, tell = std::move(tell)](std::string line) {
    for (std::size_t at = 0; (at = line.find(folder)) != std::string::npos;)
      line.erase(at, folder.size());
    tell(line);
  };
}

Scene::Scene(std::uint64_t seed, World::Tell tell)
    : world(seed, without(folder.path().string() + "/", std::move(tell))),
      cluster{.world = world} {}

Scene::~Scene() {
  vfs.fail(FaultVfs::Fault::io_error);
  for (const auto& process : processes)
    if (const auto living = process.lock()) living->kill();
  vfs.fail(FaultVfs::Fault::none);
}

std::shared_ptr<RankProcess> Scene::start(Machine& machine, int rank) {
  auto process = std::make_shared<RankProcess>(cluster, machine, network, rank, *study->experiment,
                                               study->settings);
  processes.push_back(process);
  return process;
}

void Scene::disturb(std::size_t rank, double seconds) {
  Time& until = disturbed_until[rank];
  until = std::max(until, world.now() + duration(seconds + 2 * study->settings.lost_seconds));
}

void Scene::judge_lost(std::size_t rank) const {
  if (rank >= ranks.size() || ranks[rank]->gone() || world.now() < disturbed_until[rank]) return;
  throw BrokenRule("rank " + std::to_string(rank) + " is taken for dead, and lives");
}

}  // namespace windrow::simulation
