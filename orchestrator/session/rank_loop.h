// What a rank does over and over: it reads its mail and then, several times a second, lets time
// pass for its agent and, on rank 0, for the coordinator. Who has a clock and something to wait for
// goes through it: a session, or the simulation.
#pragma once

#include <chrono>
#include <functional>

#include "orchestrator/agent/agent.h"
#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/transport/transport.h"

namespace windrow {

class RankLoop {
 public:
  static constexpr std::chrono::milliseconds kTick{50};
  using Now = std::function<Clock::time_point()>;

  // `coordinator`: rank 0's; else nullptr. `now` may stand still while the process does not run.
  RankLoop(Transport& transport, Agent& agent, Coordinator* coordinator, Now now);

  struct Pass {
    int delivered = 0;  // messages
    bool ticked = false;
    Clock::time_point now;
    std::chrono::nanoseconds wait{0};  // until there is something to do, unless something happens
  };
  Pass pass();

  // The agent has left and, on rank 0, all others have.
  bool over() const { return agent_.gone() && (!coordinator_ || coordinator_->over()); }

 private:
  Transport& transport_;
  Agent& agent_;
  Coordinator* coordinator_;
  Now now_;
  Clock::time_point next_tick_{};
};

}  // namespace windrow
