// How a run ends: asked to stop, refused, or done; results durable before anybody leaves.
#include <algorithm>

#include "orchestrator/coordinator/coordinator.h"

namespace windrow {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kLeaveLimit{15};  // for all agents to say goodbye

}  // namespace

void Coordinator::stop(bool now, const std::string& reason) {
  if (phase_ == Phase::leaving || phase_ == Phase::left) return;
  if (!stopping_) {
    store_.record(storage::Event{"stop", reason});
    scheduler::on_stop_requested(scheduler_, commands_);
    carry_out();
  }
  stopping_ = true;
  for (std::size_t rank = 0; rank < agents_.size(); ++rank)
    if (agents_[rank].joined && agents_[rank].alive)
      send_(AgentId{static_cast<std::int64_t>(rank)}, StopAll{now});
  leave_when_done();
}

void Coordinator::refuse(const std::string& why) {
  if (!refusal_.empty()) return;
  refusal_ = why;
  store_.record(storage::Event{"refused", why});
  if (phase_ == Phase::gathering) phase_ = Phase::running;
  stop(true, why);
}

void Coordinator::leave_when_done() {
  if (phase_ != Phase::running) return;
  const bool nothing_left = scheduler::all_over(scheduler_);
  const bool stopped = stopping_ && scheduler::idle(scheduler_);
  const bool nobody_left = std::none_of(agents_.begin(), agents_.end(),
                                        [](const AgentRecord& a) { return a.alive && a.joined; });
  const bool nobody_can = scheduler::idle(scheduler_) && scheduler_.slots_in_service == 0;
  if (!nothing_left && !stopped && !nobody_left && !nobody_can) return;
  phase_ = Phase::leaving;
  left_since_ = Clock::now();
  store_.record(storage::Event{"run ends", nothing_left ? "all trials are over" : "work is left"});
  store_.flush();
  send_forgets(store_.committed());
  for (std::size_t rank = 0; rank < agents_.size(); ++rank)
    if (agents_[rank].alive)
      send_(AgentId{static_cast<std::int64_t>(rank)}, Leave{refusal_, !lost_an_agent_});
}

void Coordinator::send_forgets(std::uint64_t committed) {
  for (; !forgotten_.empty() && forgotten_.front().number <= committed; forgotten_.pop_front()) {
    const Forgotten& entry = forgotten_.front();
    if (agents_[static_cast<std::size_t>(entry.agent.value)].alive)
      send_(entry.agent, Forget{entry.trial, checkpoint_dir(entry.trial)});
  }
}

void Coordinator::tick(Clock::time_point now) {
  send_forgets(store_.committed());
  if (phase_ == Phase::gathering) begin_when_gathered(now);
  if (phase_ == Phase::running) {
    for (std::size_t rank = 1; rank < agents_.size(); ++rank) {
      const std::chrono::duration<double> silence = now - agents_[rank].heard;
      if (agents_[rank].alive && silence.count() > options_.lost_seconds)
        lose_agent(AgentId{static_cast<std::int64_t>(rank)},
                   "not heard of for " + std::to_string(static_cast<int>(silence.count())) + " s");
    }
    carry_out();
    leave_when_done();
  }
  const std::chrono::duration<double> quiet = now - alive_sent_;
  if (quiet.count() > std::min(2.0, options_.lost_seconds / 10)) {
    alive_sent_ = now;
    for (std::size_t rank = 1; rank < agents_.size(); ++rank)
      if (agents_[rank].joined && agents_[rank].alive && !agents_[rank].gone)
        send_(AgentId{static_cast<std::int64_t>(rank)}, Alive{});
  }
  if (phase_ == Phase::leaving) {
    const bool all_gone = std::all_of(agents_.begin(), agents_.end(),
                                      [](const AgentRecord& agent) { return agent.gone; });
    if (!all_gone && now - left_since_ > kLeaveLimit) lost_an_agent_ = true;
    if (all_gone || now - left_since_ > kLeaveLimit) phase_ = Phase::left;
  }
}

}  // namespace windrow
