// A windrow process of a simulated run: one rank's agent and, of rank 0, the coordinator with its
// store, in the loop of a session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/agent/agent.h"
#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/session/rank_loop.h"
#include "orchestrator/session/running_clock.h"
#include "orchestrator/transport/transport.h"
#include "storage/store.h"
#include "tests/simulation/lobby.h"
#include "tests/simulation/network.h"
#include "tests/simulation/simulated_host.h"

namespace windrow::simulation {

struct RunSettings {
  std::filesystem::path database;
  std::string checkpoints;  // the folder that all databases share
  int ranks = 1;
  int slots = 1;           // of each rank and worker
  bool ranks_work = true;  // false: they have no slots, and workers must come
  double lost_seconds = 10;
  scheduler::GangPolicy gangs;
  std::optional<Time> until;            // by which the run is to be over
  std::shared_ptr<Lobby> lobby;         // guests may join; nullptr: none
  std::function<void(int rank)> judge;  // is told of a rank that is taken for dead
};

class RankProcess : public std::enable_shared_from_this<RankProcess> {
 public:
  RankProcess(Cluster& cluster, Machine& machine, std::shared_ptr<Network> network, int rank,
              Experiment& experiment, const RunSettings& settings);
  void begin();                         // rank 0 may throw StorageError
  void join(const std::string& guest);  // as a worker of this name, and no rank

  bool gone() const { return gone_; }
  // Of rank 0 that is gone: how the run ended; nullopt: it was killed, or the database failed.
  std::optional<RunEnd> end() const { return end_; }
  bool may_come_again() const { return come_again_; }  // a guest that is gone
  const std::string& error() const { return error_; }  // of the database, or why it stopped

  void kill();
  void pause(double seconds);
  void be_slow(double seconds_each_pass, double for_seconds);
  void signal();                    // as SIGTERM does
  void cancel(TrialId trial);       // rank 0 is asked to
  void stall_disk(double seconds);  // of the database, which the writer waits for
  storage::Store* store() const { return store_.get(); }

 private:
  void begin_head();
  void begin_agent();
  void plan(double seconds);
  void pass();
  void write();
  void leave(std::optional<RunEnd> end);
  bool is_guest() const { return !guest_.empty(); }
  std::function<void()> waker();  // for what arrives
  std::string name() const;
  void tell(const std::string& what, const std::string& message);
  SlotRunner::LogLine log_line();

  Cluster& cluster_;
  Machine& machine_;
  std::shared_ptr<Network> network_;
  int rank_;
  Experiment& experiment_;
  RunSettings settings_;
  RunningClock clock_;
  std::vector<std::function<void()>> posted_;
  std::unique_ptr<SimulatedHost> host_;
  std::optional<Transport> transport_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Agent> agent_;
  std::optional<RankLoop> loop_;
  Time planned_ = Time::max();
  Time paused_until_{}, slow_until_{}, disk_until_{};
  Time next_pass_{};  // of one that is slow, at the earliest
  double slowness_ = 0;
  std::uint64_t durable_ = 0;
  std::string guest_;  // its name; "" = a rank
  bool gone_ = false, come_again_ = false;
  std::optional<RunEnd> end_;
  std::string error_;
};

}  // namespace windrow::simulation
