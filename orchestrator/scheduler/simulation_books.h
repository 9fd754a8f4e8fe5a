// The simulator's own books of what the scheduler commanded and was told, kept apart from the
// scheduler's state, so that a broken rule shows. Internal to the simulator.
#pragma once

#include <unordered_map>

#include "orchestrator/scheduler/simulated_event.h"
#include "orchestrator/scheduler/simulator.h"

namespace windrow::scheduler {

class SimulationBooks {
 public:
  explicit SimulationBooks(SimulationResult& result) : result_(result) {}

  void add_trial(const TrialSpec& spec);
  void joined(AgentId agent, const std::vector<SlotId>& slots);
  void lost(AgentId agent);
  void stop_requested() { stopping_ = true; }

  // A message about an attempt, right before the scheduler gets it; false: it is stale.
  bool told(const SimulatedEvent& event);

  // What became of the trial: a stale message must change nothing.
  void compare(const SimulatedEvent& event, bool stale, TrialPhase before, TrialPhase after);

  // What the scheduler answered to the event told last.
  void commanded(const Command& command);

  int durable_epochs(TrialId trial) const { return trials_.at(trial).durable_epochs; }

  // At the end: fills finished and left, and finds what was forgotten.
  void close();

 private:
  struct TrialBook {
    std::optional<SlotId> holder;
    int attempt = 0;        // of the assignment it has
    int begun_attempt = 0;  // the last one that was told to have begun or failed
    int durable_epochs = 0;
    bool finished = false;
    bool failed = false;
  };
  struct SlotBook {
    bool known = true;  // its agent is not known as lost
    bool drained = false;
    std::vector<TrialId> holds;
  };

  void fault(const std::string& what);
  void release(TrialId trial);
  void on_assign(const AssignTrial& assign);
  void on_withdraw(const WithdrawTrial& withdraw);
  void on_failed(const TrialFailed& failed);
  void on_forgiven(const FailureForgiven& forgiven);

  SimulationResult& result_;
  std::unordered_map<TrialId, TrialBook> trials_;
  std::unordered_map<SlotId, SlotBook> slots_;
  std::unordered_map<AgentId, std::vector<SlotId>> agents_;
  std::optional<SimulatedEvent> failure_;  // told last, and not answered by TrialFailed yet
  bool stopping_ = false;
};

}  // namespace windrow::scheduler
