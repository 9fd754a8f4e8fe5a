// The agents of a simulated run: what their slots do with assignments. Internal to the simulator.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "orchestrator/scheduler/simulated_event.h"
#include "orchestrator/scheduler/simulator.h"

namespace windrow::scheduler {

struct SimulatedTrial {
  TrialSpec spec;
  double epoch_seconds = 0;
  int epochs = 1;
  Takes takes = Takes::nothing;
  bool widened = false;
};

class SimulatedCluster {
 public:
  SimulatedCluster(const SimulationOptions& options, SimulatedEvents& events,
                   SimulationResult& result);

  void add_trial(const TrialSpec& spec);

  // A new agent; its slots are to be told to the scheduler.
  AgentId add_agent();
  const std::vector<SlotId>& slots_of(AgentId agent) const;

  Takes takes(TrialId trial) const { return trials_.at(trial).takes; }

  // Messages on their way to an agent.
  void send(const AssignTrial& assign, int durable_epochs);
  void send(const WithdrawTrial& withdraw);
  void send(const LendSlot& lend);
  void send(const SetHelpers& helpers);
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
    double next_step = 0;
    std::vector<int> wanted;   // helpers, by their numbers
    int lent = 0;              // slots of which it has the threads
    std::vector<int> members;  // helpers that train the epoch with it
    FailureKind failure = FailureKind::crash;
  };
  struct Helper {
    SlotId slot;
    TrialId trial;
    int attempt = 1;
    SlotId lead;
    double began = 0;
    bool here = false;
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
  void form_gang(SlotId id);
  double speed(const SimulatedTrial& trial, int members) const;
  void send_home(int helper);
  bool leads(const Helper& helper) const;
  void end_attempt(SlotId id);
  void lose_helpers(std::size_t dying);
  void die();

  const SimulationOptions& options_;
  SimulatedEvents& events_;
  SimulationResult& result_;
  Random random_;
  std::unordered_map<TrialId, SimulatedTrial> trials_;
  std::vector<Agent> agents_;      // by id
  std::vector<Slot> slots_;        // by id
  std::map<int, Helper> helpers_;  // by number
  std::vector<SetHelpers> lists_;  // on their way
};

}  // namespace windrow::scheduler
