// Agents come and go: who has said hello, and what is lost with one that falls silent.
#include <algorithm>

#include "orchestrator/coordinator/coordinator.h"
#include "protocol/teams.h"

namespace windrow {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kGatherLimit{20};  // for all ranks to say hello

}  // namespace

void Coordinator::on_hello(AgentId from, Hello hello) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(from.value)];
  agent.joined = true;
  agent.host = hello.host;
  // Not every rank asks the batch system for the end of the job: the first one has.
  if (hello.job.ends_at_ms == 0 && hello.job.id == options_.job.id)
    hello.job.ends_at_ms = options_.job.ends_at_ms;
  const std::string who = name_agent(from);
  if (phase_ == Phase::saving || phase_ == Phase::leaving) return turn_away(from, "");
  if (is_guest(from) && hello.version != WINDROW_VERSION)
    return turn_away(from, "the run is of windrow " WINDROW_VERSION ", this is " + hello.version +
                               "; start the same program");
  if (hello.version != WINDROW_VERSION) {
    refuse(who + " runs windrow " + hello.version +
           ", rank 0 runs " WINDROW_VERSION "; start the same program on all ranks");
    return;
  }
  if (!hello.study_hash.empty() && hello.study_hash != study_.hash) {
    refuse(who + " reads another study (hash " + hello.study_hash + ") than rank 0 (hash " +
           study_.hash + "); give all ranks the same file and the same --set");
    return;
  }
  for (const std::string& fault : hello.faults) log_("error", who + " can't take part: " + fault);
  if (!hello.faults.empty() && options_.agents == 1 && !is_guest(from)) {
    refuse(hello.faults.front());
    return;
  }
  const auto teams = teams_of(hello.slots, study_.trainer.gang);
  if (hello.slots.empty() && hello.faults.empty() && !options_.serves)
    log_("warning", who + " has no slots");
  if (teams.empty() && !hello.slots.empty()) {
    const std::string text = who + " has " + std::to_string(hello.slots.size()) +
                             " slots, but a trial takes " + std::to_string(study_.trainer.gang) +
                             " (gang under trainer:); give the rank more with --slots";
    if (is_guest(from)) return turn_away(from, text);
    if (options_.agents == 1 && !options_.serves) return refuse(text);
    log_("warning", text);
  }
  for (const protocol::SlotInfo& info : teams) {
    const SlotId id{static_cast<std::int64_t>(slots_.size())};
    slots_.push_back({.agent = from, .device = info.device, .threads = info.threads});
    agent.slots.push_back(id);
    store_.record(storage::SlotRecord{id, hello.host, static_cast<int>(from.value), info.device,
                                      info.threads, hello.job});
  }
  // Rank 0's agent shares the coordinator's process: neither can outlive the other.
  const double lost_seconds = from.value == 0 ? 0 : options_.lost_seconds;
  const std::int64_t until_ms = options_.until
                                    ? std::chrono::duration_cast<std::chrono::milliseconds>(
                                          options_.until->time_since_epoch())
                                          .count()
                                    : 0;
  send_(from,
        Welcome{agent.slots, study_.trainer, lost_seconds, options_.stop_within_seconds, until_ms});
  log_(is_guest(from) ? "info" : "debug",
       who + " joined with " + std::to_string(hello.slots.size()) + " slots");
  if (phase_ == Phase::running) {
    for (const SlotId slot : agent.slots) time_.joined(slot, seconds());
    scheduler::on_agent_joined(scheduler_, from, agent.slots, commands_, agent.host);
  } else {
    begin_when_gathered();
  }
}

std::string Coordinator::name_agent(AgentId id) const {
  return (is_guest(id) ? "worker " : "rank ") + std::to_string(id.value) + " on " +
         agents_[static_cast<std::size_t>(id.value)].host;
}

// A guest, which is no reason to end the run; "" = the run is over.
void Coordinator::turn_away(AgentId id, const std::string& why) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(id.value)];
  agent.alive = false;
  agent.gone = true;
  if (!why.empty()) log_("warning", name_agent(id) + " is turned away: " + why);
  send_(id, Leave{why});
}

// Nothing starts before every rank has been seen to run the same version of the same study.
void Coordinator::begin_when_gathered() {
  if (phase_ != Phase::gathering) return;
  const bool all = std::all_of(agents_.begin(), agents_.end(),
                               [](const AgentRecord& agent) { return agent.joined; });
  if (!all && (!began_ || now_ - *began_ < kGatherLimit)) return;
  phase_ = Phase::running;
  if (stopping_) scheduler::on_stop_requested(scheduler_, commands_);
  for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
    const AgentId id{static_cast<std::int64_t>(rank)};
    if (agents_[rank].alive)
      for (const SlotId slot : agents_[rank].slots) time_.joined(slot, seconds());
    if (agents_[rank].joined && agents_[rank].alive)
      scheduler::on_agent_joined(scheduler_, id, agents_[rank].slots, commands_,
                                 agents_[rank].host);
    else if (!agents_[rank].joined)
      log_("warning", "rank " + std::to_string(rank) + " has not said hello; going on without it");
  }
  carry_out();
  leave_when_done();
}

void Coordinator::lose_agent(AgentId id, const std::string& why) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(id.value)];
  if (!agent.alive) return;
  agent.alive = false;
  agent.gone = true;
  const std::string who = name_agent(id);
  log_("error", who + " is lost: " + why + "; its trials go to other slots");
  store_.record(storage::Event{"agent lost", who + ": " + why});
  drop_agent(id, why);
}

void Coordinator::drop_agent(AgentId id, const std::string& why) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(id.value)];
  for (const scheduler::HeldAttempt& attempt : scheduler::held_attempts(scheduler_, id))
    if (attempt.begun)
      store_.record(storage::AttemptFailed{.trial = attempt.trial,
                                           .attempt = attempt.attempt,
                                           .kind = FailureKind::node,
                                           .message = why,
                                           .host = agent.host,
                                           .rank = static_cast<int>(id.value),
                                           .slot = attempt.slot});
  for (const SlotId lost : agent.slots) {
    slot(lost).running.reset();
    time_.gone(lost, seconds());
  }
  scheduler::on_agent_lost(scheduler_, id, commands_);
}

void Coordinator::on_goodbye(AgentId from, const std::string& reason) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(from.value)];
  agent.gone = true;
  if (phase_ == Phase::leaving || phase_ == Phase::saving) return;
  if (is_guest(from) && reason.empty()) {
    agent.alive = false;
    lose_(from);  // nothing more is kept for it
    const std::string text = name_agent(from) + " has left";
    log_("info", text);
    store_.record(storage::Event{"agent left", text});
    drop_agent(from, "it left");
    return;
  }
  if (!reason.empty()) lose_(from);  // it waits for nobody either
  lose_agent(from, reason.empty() ? "it left" : reason);
}

}  // namespace windrow
