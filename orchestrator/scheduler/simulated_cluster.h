// The agents of a simulated run: what their slots do with assignments. Internal to the simulator.
#pragma once

#include <deque>
#include <unordered_map>

#include "orchestrator/scheduler/simulated_event.h"
#include "orchestrator/scheduler/simulator.h"

namespace windrow::scheduler {

struct SimulatedTrial {
  double epoch_seconds = 0;
  int epochs = 1;
};

class SimulatedCluster {
 public:
  SimulatedCluster(const SimulationOptions& options, SimulatedEvents& events,
                   SimulationResult& result);

  void add_trial(const TrialSpec& spec);

  // A new agent; its slots are to be told to the scheduler.
  AgentId add_agent();
  const std::vector<SlotId>& slots_of(AgentId agent) const;

  // Messages on their way to an agent.
  void send(const AssignTrial& assign, int durable_epochs);
  void send(const WithdrawTrial& withdraw);
  void send_stop();

  // An event at an agent.
  void handle(const SimulatedEvent& event);

 private:
  struct Agent {
    bool alive = true;
    std::vector<SlotId> slots;
    double last_in = 0, last_out = 0;  // arrivals stay in order
  };
  struct Attempt {
    TrialId trial;
    int number = 1;
    int epochs_done = 0;
    bool started = false;
    double began = 0;
    double epoch_began = 0;
    double fails_at = 0;  // infinity: it doesn't
    FailureKind failure = FailureKind::crash;
  };
  struct Slot {
    AgentId agent;
    bool stopping = false;
    std::optional<Attempt> current;
    std::deque<Attempt> queue;
  };
  using Event = SimulatedEvent;

  double delay();
  void send_to_agent(Event event);
  void report(Event::Kind kind, SlotId slot, const Attempt& attempt, double seconds = 0,
              FailureKind failure = FailureKind::crash);
  void on_withdraw(const Event& event);
  void on_stop(SlotId id);
  void begin_next(SlotId id);
  void await_step(SlotId id);
  void step(const Event& event);
  void end_attempt(SlotId id);
  void die();

  const SimulationOptions& options_;
  SimulatedEvents& events_;
  SimulationResult& result_;
  Random random_;
  std::unordered_map<TrialId, SimulatedTrial> trials_;
  std::vector<Agent> agents_;  // by id
  std::vector<Slot> slots_;    // by id
};

}  // namespace windrow::scheduler
