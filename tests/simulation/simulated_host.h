// A machine of the simulated cluster, as the host of an agent.
#pragma once

#include <memory>

#include "orchestrator/agent/host.h"
#include "tests/simulation/simulated_process.h"

namespace windrow::simulation {

// What clocks on walls show.
std::chrono::system_clock::time_point time_of_day(Time time);

class SimulatedHost : public Host {
 public:
  // `post`: hands something to the loop of the agent's process.
  SimulatedHost(Cluster& cluster, Machine& machine, SimulatedProcess::Post post)
      : cluster_(cluster), machine_(machine), post_(std::move(post)) {}

  std::unique_ptr<TrainerStarter> trainers() override;
  std::unique_ptr<TrialLog> trial_log() override { return nullptr; }
  void make_folder(const std::string&) override {}
  bool holds_files(const std::string& folder) const override {
    return cluster_.folder.holds_files(folder);
  }
  void remove_folder(std::string folder) override;
  Program watch_program(const protocol::TrainerSettings& trainer, bool shipped) override;
  protocol::Json environment(const std::vector<std::string>&) override {
    return {{"os", "simulated"}};
  }
  bool memory_ran_out() const override { return false; }
  void look_for_memory_kills() override {}
  std::int64_t memory_limit() const override { return 0; }
  std::chrono::system_clock::time_point time_of_day() const override;

 private:
  Cluster& cluster_;
  Machine& machine_;
  SimulatedProcess::Post post_;
  int slots_ = 0;
};

}  // namespace windrow::simulation
