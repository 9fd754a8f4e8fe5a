// What happens in a simulated run, and when. Internal to the simulator.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "orchestrator/scheduler/scheduler.h"

namespace windrow::scheduler {

struct SimulatedEvent {
  static constexpr int kNone = -1;
  enum class Kind {
    // at an agent
    assign,    // an assignment arrives
    withdraw,  // a withdrawal arrives
    stop,      // the order to stop arrives at a slot
    step,      // a slot's attempt comes to its next event
    lend,      // the order to help arrives at a slot
    here,      // a helper has started
    helpers,   // an attempt is told its helpers
    die,       // some agent dies
    // at the coordinator
    started,
    epoch,
    finished,
    failed,
    withdrawn,
    helped,  // a helper helps no more
    rested,  // a slot's rest is over
    joined,  // an agent is there
    lost,    // an agent's death is noticed
    added,   // further trials
    stop_requested,
  };
  Kind kind = Kind::step;
  AgentId agent;
  SlotId slot;
  TrialId trial;
  int attempt = 0;
  int epoch = 0;  // assign: epochs that are durable; epoch: the one that is done
  double seconds = 0;
  int members = 1;   // epoch: that trained it
  int helper = 0;    // lend, here: its number
  int list = kNone;  // helpers: which
  FailureKind failure = FailureKind::crash;
};

class SimulatedEvents {
 public:
  bool empty() const { return queue_.empty(); }
  double now() const { return now_; }

  void at(double time, const SimulatedEvent& event) { queue_.push({time, pushed_++, event}); }

  // Puts the clock forward to the next event. Events of one time come in the order of at().
  SimulatedEvent next() {
    const Timed timed = queue_.top();
    queue_.pop();
    now_ = timed.time;
    return timed.event;
  }

 private:
  struct Timed {
    double time;
    std::uint64_t number;
    SimulatedEvent event;
    bool operator>(const Timed& other) const {
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> queue_;
  std::uint64_t pushed_ = 0;
  double now_ = 0;
};

}  // namespace windrow::scheduler
