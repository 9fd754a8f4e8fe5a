#include "tests/simulation/faults.h"

#include <algorithm>
#include <utility>

namespace windrow::simulation {

using storage::FaultVfs;

namespace {

std::size_t some_rank(Scene& scene, bool also_the_first = true) {
  const int ranks = static_cast<int>(scene.ranks.size());
  if (!also_the_first && ranks == 1) return 0;
  return static_cast<std::size_t>(scene.random().between(also_the_first ? 0 : 1, ranks - 1));
}
std::string named(std::size_t rank) {
  return "rank " + std::to_string(rank);
}
double lost_seconds(const Scene& scene) {
  return scene.study->settings.lost_seconds;
}

void kill_rank(Scene& scene, const std::string& kind) {
  const std::size_t rank = some_rank(scene, false);
  if (rank == 0 || scene.ranks[rank]->gone()) return;
  scene.world.fault(kind, named(rank));
  scene.ranks[rank]->kill();
}

void kill_coordinator(Scene& scene, const std::string& kind) {
  scene.world.fault(kind, "");
  scene.vfs.fail(FaultVfs::Fault::io_error);  // a dead process writes no more
  scene.ranks[0]->kill();
  scene.vfs.fail(FaultVfs::Fault::none);
}

void lose_power(Scene& scene, const std::string& kind) {
  scene.world.fault(kind, "");
  scene.vfs.fail(FaultVfs::Fault::io_error);
  scene.ranks[0]->kill();
  scene.vfs.lose_power([&scene] { return scene.random().next(); });
}

void fail_disk(Scene& scene, const std::string& kind, FaultVfs::Fault fault) {
  scene.world.fault(kind, "");
  scene.vfs.fail(fault);
  scene.world.after(scene.random().between(0.1, 10.0),
                    [&scene] { scene.vfs.fail(FaultVfs::Fault::none); });
}

void fill_disk(Scene& scene, const std::string& kind) {
  fail_disk(scene, kind, FaultVfs::Fault::disk_full);
}
void break_disk(Scene& scene, const std::string& kind) {
  fail_disk(scene, kind, FaultVfs::Fault::io_error);
}

void stall_disk(Scene& scene, const std::string& kind) {
  scene.world.fault(kind, "");
  scene.ranks[0]->stall_disk(scene.random().between(0.5, 20.0));
}

void pause_rank(Scene& scene, const std::string& kind) {
  const std::size_t rank = some_rank(scene);
  if (scene.ranks[rank]->gone()) return;
  scene.world.fault(kind, named(rank));
  const double seconds = scene.random().between(0.1, 3 * lost_seconds(scene));
  scene.disturb(rank, seconds);
  scene.ranks[rank]->pause(seconds);
}

void slow_rank(Scene& scene, const std::string& kind) {
  const std::size_t rank = some_rank(scene);
  if (scene.ranks[rank]->gone()) return;
  scene.world.fault(kind, named(rank));
  const double seconds = scene.random().between(1.0, 30.0);
  if (rank > 0) scene.disturb(rank, seconds);
  scene.ranks[rank]->be_slow(scene.random().between(0.1, 0.9), seconds);
}

void cut_off(Scene& scene, const std::string& kind, double seconds) {
  const std::size_t rank = some_rank(scene, false);
  if (rank == 0 || scene.ranks[rank]->gone()) return;
  scene.world.fault(kind, named(rank));
  scene.disturb(rank, seconds);
  scene.network->cut_off(static_cast<int>(rank), true);
  scene.world.after(seconds, [network = scene.network, rank] {
    network->cut_off(static_cast<int>(rank), false);
  });
}

void cut_shortly(Scene& scene, const std::string& kind) {
  cut_off(scene, kind, scene.random().between(0.1, 0.8) * lost_seconds(scene));
}
void cut_for_long(Scene& scene, const std::string& kind) {
  cut_off(scene, kind, scene.random().between(1.2, 5.0) * lost_seconds(scene));
}

void slow_network(Scene& scene, const std::string& kind) {
  scene.world.fault(kind, "");
  const double seconds = scene.random().between(1.0, 20.0);
  for (std::size_t rank = 1; rank < scene.ranks.size(); ++rank) scene.disturb(rank, seconds);
  scene.network->slow_down(scene.random().between(0.05, 0.8));
  scene.world.after(seconds, [network = scene.network] { network->slow_down(0.001); });
}

// Of one rank, more than a slow coordinator reads while it waits for a silent rank: what the others
// say lies behind it.
void flood(Scene& scene, const std::string& kind) {
  if (scene.ranks.size() < 3 || scene.has_flooded) return;
  std::vector<std::shared_ptr<SimulatedProcess>> loud;
  for (const auto& process : scene.cluster.living)
    if (const auto living = process.lock();
        living && living->may_flood() && living->machine().name != scene.machines[0]->name)
      loud.push_back(living);
  if (loud.empty()) return;
  scene.has_flooded = true;
  scene.world.fault(kind, "");
  constexpr double kSlowness = 0.8, kReadAtOnce = 256;
  const double seconds = 2 * lost_seconds(scene);
  scene.ranks[0]->be_slow(kSlowness, 2 * seconds);
  scene.random().of(loud)->flood(static_cast<int>(seconds / kSlowness * kReadAtOnce));
}

void signal_all(Scene& scene, const std::string& kind) {
  scene.world.fault(kind, "");
  for (const auto& rank : scene.ranks)
    if (!rank->gone()) rank->signal();
}

void signal_rank(Scene& scene, const std::string& kind) {
  const std::size_t rank = some_rank(scene);
  if (scene.ranks[rank]->gone()) return;
  scene.world.fault(kind, named(rank));
  scene.ranks[rank]->signal();
}

// Only one of several, once: a trial that fails on all machines is failed, and rightly.
void break_machine(Scene& scene, const std::string& kind) {
  if (scene.machines.size() == 1 || std::exchange(scene.has_broken, true)) return;
  Machine& machine = *scene.machines[scene.breakable];
  machine.broken_slot = scene.random().chance(0.3) ? 0 : -1;
  machine.broken_until = scene.world.now() + duration(scene.random().between(1.0, 60.0));
  scene.world.say("world", kind + ": " + machine.name);
}

void join(Scene& scene);

void watch_worker(Scene& scene, const std::shared_ptr<Lobby>& lobby,
                  const std::shared_ptr<RankProcess>& worker) {
  scene.world.after(scene.random().between(0.5, 2.0), [&scene, lobby, worker] {
    if (!worker->gone()) return watch_worker(scene, lobby, worker);
    if (worker->may_come_again() && lobby == scene.lobby) join(scene);
  });
}

void join(Scene& scene) {
  const auto worker = scene.start(*scene.random().of(scene.machines), -1);
  worker->join("worker " + std::to_string(++scene.workers_ever));
  scene.workers.push_back(worker);
  watch_worker(scene, scene.lobby, worker);
}

std::shared_ptr<RankProcess> some_worker(Scene& scene) {
  std::erase_if(scene.workers, [](const auto& worker) { return worker->gone(); });
  return scene.workers.empty() ? nullptr : scene.random().of(scene.workers);
}
void kill_worker(Scene& scene, const std::string& kind) {
  const auto worker = some_worker(scene);
  if (!worker) return;
  scene.world.fault(kind, "");
  worker->kill();
}
void signal_worker(Scene& scene, const std::string& kind) {
  const auto worker = some_worker(scene);
  if (!worker) return;
  scene.world.fault(kind, "");
  worker->signal();
}
void break_connections(Scene& scene, const std::string& kind) {
  if (!scene.lobby || !some_worker(scene)) return;
  scene.world.fault(kind, "");
  scene.lobby->break_connections(scene.random().between(0.01, 2 * lost_seconds(scene)));
}

void break_gang(Scene& scene, const std::string& kind) {
  std::vector<std::shared_ptr<SimulatedProcess>> leads;
  for (const auto& process : scene.cluster.living)
    if (const auto living = process.lock(); living && living->trains_together())
      leads.push_back(living);
  if (leads.empty()) return;
  scene.world.fault(kind, "");
  scene.random().of(leads)->break_gang();
}

void cancel_trial(Scene& scene, const std::string& kind) {
  auto [id, truth] = scene.study->rules->some_trial(scene.random());
  if (truth == nullptr || std::exchange(scene.has_cancelled, true)) return;
  scene.world.fault(kind, "trial " + std::to_string(id));
  truth->may_be_cancelled = true;
  scene.ranks[0]->cancel(TrialId{id});
}

void wedge_process(Scene& scene, const std::string&) {
  scene.random().of(scene.machines)->wedged = true;
}
void refuse_starts(Scene& scene, const std::string&) {
  if (!std::exchange(scene.starts_refused, true))
    scene.random().of(scene.machines)->refused_starts = 1;
}

}  // namespace

void let_in(Scene& scene, const std::string& kind) {
  if (!scene.lobby || scene.ranks[0]->gone()) return;
  scene.world.fault(kind, "");
  join(scene);
}

const std::vector<FaultKind>& session_faults() {
  static const std::vector<FaultKind> all = {
      {"a rank is killed", kill_rank, true},
      {"the coordinator is killed", kill_coordinator},
      {"the power fails", lose_power},
      {"the disk is full", fill_disk},
      {"the disk fails", break_disk},
      {"the disk stalls", stall_disk},
      {"a rank is paused", pause_rank, true},
      {"a rank is slow", slow_rank},
      {"a rank is cut off for a moment", cut_shortly},
      {"a rank is cut off for long", cut_for_long, true},
      {"messages take long", slow_network},
      {"epochs flood a slow coordinator", flood},
      {"all ranks are signalled", signal_all},
      {"a rank is signalled", signal_rank, true},
      {"a broken machine fails a trial", break_machine, false, true},
      {"a process outlives SIGKILL", wedge_process, true},
      {"a trial is cancelled", cancel_trial},
      {"a gang can't reach each other", break_gang},
      {"a worker joins", let_in},
      {"a worker is killed", kill_worker, true},
      {"a worker is signalled", signal_worker, true},
      {"connections to workers break", break_connections, true},
      {"no process can be started", refuse_starts, true},
  };
  return all;
}

void end_faults(Scene& scene) {
  scene.vfs.fail(FaultVfs::Fault::none);
  for (const auto& machine : scene.machines) {
    machine->wedged = false;
    machine->refused_starts = 0;
    machine->broken_until = {};
  }
  if (!scene.network) return;
  for (std::size_t rank = 0; rank < scene.ranks.size(); ++rank)
    scene.network->cut_off(static_cast<int>(rank), false);
  scene.network->slow_down(0.001);
}

}  // namespace windrow::simulation
