// How a run ends: asked to stop, refused, or done; results durable before anybody leaves.
#include <algorithm>

#include "orchestrator/coordinator/coordinator.h"

namespace windrow {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kLeaveLimit{15};  // for all agents to say goodbye
constexpr std::chrono::seconds kSlowStart{60};   // of trainers: the run says that it is one

}  // namespace

void Coordinator::stop(bool now, const std::string& reason) {
  if (phase_ != Phase::gathering && phase_ != Phase::running) return;
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

void Coordinator::stop_for(const std::string& who, bool now) {
  const std::string why = "stopped by " + who;
  if (phase_ == Phase::gathering || phase_ == Phase::running) {
    store_.record(storage::StopAsked{who});
    log_("info", why);
  }
  stop(now, why);
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
  const bool expanding = !trials_known_ || progress_.expanding();
  const bool nothing_left = !expanding && scheduler::all_over(scheduler_);
  const bool stopped = stopping_ && scheduler::idle(scheduler_);
  const bool nobody_left =
      !options_.serves && std::none_of(agents_.begin(), agents_.end(),
                                       [](const AgentRecord& a) { return a.alive && a.joined; });
  const bool nobody_can = !options_.serves && trials_known_ && scheduler::idle(scheduler_) &&
                          scheduler::slots_in_service(scheduler_) == 0;
  const bool no_time = !expanding && scheduler::out_of_time(scheduler_);
  if (!nothing_left && !stopped && !nobody_left && !nobody_can && !no_time) return;
  out_of_time_ = no_time;
  if (no_time) stop_reason_ = "no epoch of what is left can end before the time limit";
  if (nobody_can && !nothing_left) stop_reason_ = "no slot is left that may be given a trial";
  phase_ = Phase::saving;
  saved_by_ = store_.record(
      storage::Event{"run ends", nothing_left ? "all trials are over" : "work is left"});
  store_.request_flush();
}

// Everybody leaves once all results are durable.
void Coordinator::leave_when_saved() {
  if (phase_ != Phase::saving || store_.committed() < saved_by_) return;
  phase_ = Phase::leaving;
  left_since_ = now_;
  send_forgets(store_.committed());
  for (std::size_t rank = 0; rank < agents_.size(); ++rank)
    if (agents_[rank].alive) send_(AgentId{static_cast<std::int64_t>(rank)}, Leave{refusal_});
}

void Coordinator::send_forgets(std::uint64_t committed) {
  for (; !forgotten_.empty() && forgotten_.front().number <= committed; forgotten_.pop_front()) {
    const Forgotten& entry = forgotten_.front();
    // An earlier run may have kept those of a cell that the study has no longer.
    if (progress_.has(entry.trial) && agents_[static_cast<std::size_t>(entry.agent.value)].alive)
      send_(entry.agent, Forget{entry.trial, checkpoint_dir(entry.trial)});
  }
}

void Coordinator::tick(Clock::time_point now, bool mail_read) {
  now_ = now;
  if (!began_) {
    began_ = now;
    for (AgentRecord& agent : agents_) agent.heard = now;
  }
  send_forgets(store_.committed());
  mind_time_limit();  // before anything is assigned
  mind_expansion();
  if (phase_ == Phase::gathering) begin_when_gathered();
  mind_store(now);
  if (phase_ == Phase::running) mind_time(now, mail_read);
  mind_slow_start(now);
  carry_out();
  leave_when_done();
  leave_when_saved();
  const std::chrono::duration<double> quiet = now - alive_sent_;
  if (quiet.count() > std::min(2.0, options_.lost_seconds / 10)) {
    alive_sent_ = now;
    for (std::size_t rank = 1; rank < agents_.size(); ++rank)
      if (agents_[rank].joined && agents_[rank].alive && !agents_[rank].gone)
        send_(AgentId{static_cast<std::int64_t>(rank)}, Alive{});
  }
  if (phase_ == Phase::leaving) {
    const bool all_gone = std::ranges::all_of(agents_, &AgentRecord::gone);
    if (!all_gone && now - left_since_ <= kLeaveLimit) return;
    for (std::size_t rank = 0; rank < agents_.size(); ++rank)
      if (!agents_[rank].gone) lose_(AgentId{static_cast<std::int64_t>(rank)});
    phase_ = Phase::left;
  }
}

// What could not be stored, and who keeps the writer waiting.
void Coordinator::mind_slow_start(Clock::time_point now) {
  if (!first_assigned_ || trainer_ready_ || told_slow_start_) return;
  if (now - *first_assigned_ < kSlowStart) return;
  told_slow_start_ = true;
  log_("warning",
       "no trainer is ready yet after " + std::to_string(kSlowStart.count()) +
           " s: the first start from a shared file system, or on a busy machine, can take minutes; "
           "each has " +
           std::to_string(static_cast<int>(study_.trainer.ready_seconds)) + " s");
}

void Coordinator::mind_store(Clock::time_point now) {
  for (const storage::Store::Refused& refused : store_.take_refused()) {
    log_("error", name_trial(refused.trial) + " attempt " + std::to_string(refused.attempt) +
                      " is failed (spec): what it reported can't be stored: " + refused.why);
    scheduler::on_trial_refused(scheduler_, refused.trial, commands_);
  }
  const auto since = store_.locked_out_since();
  if (!since) {
    told_locked_out_ = false;
  } else if (!told_locked_out_ && now - *since > std::chrono::seconds(5)) {
    told_locked_out_ = true;
    log_(
        "warning",
        "another program keeps the database locked; the run goes on and what it reports is kept in "
        "memory until the lock is gone (`fuser FILE` names the program)");
  }
}

// What the passing of time means: silence, and rested slots.
void Coordinator::mind_time(Clock::time_point now, bool mail_read) {
  for (std::size_t rank = 1; mail_read && rank < agents_.size(); ++rank) {
    const std::chrono::duration<double> silence = now - agents_[rank].heard;
    const AgentId agent{static_cast<std::int64_t>(rank)};
    if (!agents_[rank].alive || silence.count() <= options_.lost_seconds) continue;
    // A guest that was only away is told so, when it is heard of again.
    if (!is_guest(agent)) lose_(agent);
    lose_agent(agent,
               "not heard of for " + std::to_string(static_cast<int>(silence.count())) + " s");
  }
  while (!resting_.empty() && resting_.begin()->first <= now) {
    const SlotId rested = resting_.begin()->second;
    resting_.erase(resting_.begin());
    scheduler::on_slot_rested(scheduler_, rested, commands_);
  }
}

void Coordinator::mind_time_limit() {
  if (!options_.until) return;
  const std::chrono::duration<double> left = *options_.until - options_.time_of_day();
  scheduler::on_time_left(scheduler_, std::max(left.count(), 0.0), commands_);
}

}  // namespace windrow
