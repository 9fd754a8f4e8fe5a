#include "orchestrator/session/rank_loop.h"

#include <algorithm>

namespace windrow {

RankLoop::RankLoop(Transport& transport, Agent& agent, Coordinator* coordinator, Now now)
    : transport_(transport), agent_(agent), coordinator_(coordinator), now_(std::move(now)) {
  if (coordinator_) coordinator_->tick(now_(), false);  // it knows the time
}

// Mail before time: what has arrived speaks for its sender.
RankLoop::Pass RankLoop::pass() {
  const auto [delivered, mail_read] = transport_.deliver(
      [this](protocol::ToAgent message) { agent_.on_message(std::move(message)); },
      [this](AgentId from, protocol::FromAgent message) {
        coordinator_->on_message(from, std::move(message));
      });
  Pass pass{.delivered = delivered, .now = now_()};
  if (pass.now >= next_tick_) {
    next_tick_ = pass.now + kTick;
    agent_.tick(mail_read);
    if (coordinator_) coordinator_->tick(pass.now, mail_read);
    pass.ticked = true;
  }
  pass.wait = transport_.has_own_mail()
                  ? std::chrono::nanoseconds(0)
                  : std::max<std::chrono::nanoseconds>(next_tick_ - pass.now, {});
  return pass;
}

}  // namespace windrow
