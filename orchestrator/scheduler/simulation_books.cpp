#include "orchestrator/scheduler/simulation_books.h"

#include <algorithm>

namespace windrow::scheduler {

namespace {
std::string text(TrialId trial) {
  return "trial " + std::to_string(trial.value);
}
std::string text(SlotId slot) {
  return "slot " + std::to_string(slot.value);
}
}  // namespace

void SimulationBooks::fault(const std::string& what) {
  if (!result_.fault) result_.fault = what;
}

void SimulationBooks::add_trial(const TrialSpec& spec) {
  trials_[spec.trial] = {.begun_attempt = spec.attempts, .durable_epochs = spec.committed_epochs};
}

void SimulationBooks::joined(AgentId agent, const std::vector<SlotId>& slots) {
  agents_[agent] = slots;
  for (const SlotId slot : slots) slots_[slot];
}

void SimulationBooks::lost(AgentId agent) {
  for (const SlotId id : agents_[agent]) {
    SlotBook& slot = slots_[id];
    slot.known = false;
    for (const TrialId trial : std::vector(slot.holds)) release(trial);
  }
}

void SimulationBooks::release(TrialId id) {
  TrialBook& trial = trials_.at(id);
  std::erase(slots_[*trial.holder].holds, id);
  trial.holder.reset();
}

// ---- messages to the scheduler

bool SimulationBooks::told(const SimulatedEvent& event) {
  failure_.reset();
  TrialBook& trial = trials_.at(event.trial);
  if (trial.holder != event.slot || trial.attempt != event.attempt) return false;
  switch (event.kind) {
    case SimulatedEvent::Kind::started:
      if (trial.begun_attempt >= event.attempt)
        fault(text(event.trial) + ": attempt " + std::to_string(event.attempt) + " began twice");
      trial.begun_attempt = event.attempt;
      break;
    case SimulatedEvent::Kind::epoch:
      trial.durable_epochs = std::max(trial.durable_epochs, event.epoch);
      break;
    case SimulatedEvent::Kind::finished:
      trial.finished = true;
      release(event.trial);
      break;
    case SimulatedEvent::Kind::failed:
      trial.begun_attempt = event.attempt;
      ++result_.failures[event.failure];
      failure_ = event;
      release(event.trial);
      break;
    default:
      release(event.trial);
      break;  // withdrawn
  }
  return true;
}

void SimulationBooks::compare(const SimulatedEvent& event, bool stale, TrialPhase before,
                              TrialPhase after) {
  using Kind = SimulatedEvent::Kind;
  const bool runs = event.kind == Kind::started || event.kind == Kind::epoch;
  if (stale && before != after)
    fault("a stale message changed the phase of " + text(event.trial));
  else if (!stale && runs && after != TrialPhase::running)
    fault(text(event.trial) + " is not taken for running after its start or epoch");
  else if (!stale && event.kind == Kind::finished && after != TrialPhase::finished)
    fault(text(event.trial) + " is not taken for finished");
  else if (!stale && event.kind == Kind::failed && after == TrialPhase::running)
    fault(text(event.trial) + " is taken for running after it failed");
}

// ---- commands of the scheduler

void SimulationBooks::commanded(const Command& command) {
  if (const auto* assign = std::get_if<AssignTrial>(&command)) {
    on_assign(*assign);
  } else if (const auto* withdraw = std::get_if<WithdrawTrial>(&command)) {
    on_withdraw(*withdraw);
  } else if (const auto* failed = std::get_if<TrialFailed>(&command)) {
    on_failed(*failed);
  } else if (const auto* forgiven = std::get_if<FailureForgiven>(&command)) {
    on_forgiven(*forgiven);
  } else if (const auto* lend = std::get_if<LendSlot>(&command)) {
    const SlotBook& slot = slots_[lend->slot];
    const std::string what = text(lend->slot) + " was lent to " + text(lend->trial);
    if (stopping_) fault(what + " after the stop was requested");
    if (!slot.known || slot.drained) fault(what + ", but is gone or drained");
    if (!slot.holds.empty()) fault(what + " while it has a trial of its own");
    if (trials_.at(lend->trial).holder != lend->lead)
      fault(what + ", which " + text(lend->lead) + " has not");
  } else if (std::holds_alternative<StopRun>(command)) {
    result_.stopped = true;
  } else if (const auto* drained = std::get_if<SlotDrained>(&command)) {
    if (slots_[drained->slot].drained) fault(text(drained->slot) + " was drained twice");
    slots_[drained->slot].drained = true;
    result_.drained.push_back(drained->slot);
  } else if (const auto* back = std::get_if<SlotReadmitted>(&command)) {
    if (!slots_[back->slot].drained) fault(text(back->slot) + " was not drained, and came back");
    slots_[back->slot].drained = false;
    std::erase(result_.drained, back->slot);
  }
}

void SimulationBooks::on_assign(const AssignTrial& assign) {
  TrialBook& trial = trials_.at(assign.trial);
  SlotBook& slot = slots_[assign.slot];
  const std::string what = text(assign.trial) + " was assigned to " + text(assign.slot);
  if (stopping_) fault(what + " after the stop was requested");
  if (trial.finished || trial.failed) fault(what + " though it is over");
  if (trial.holder) fault(what + " while " + text(*trial.holder) + " has it");
  if (!slot.known || slot.drained) fault(what + ", which is gone or drained");
  if (slot.holds.size() >= 2) fault(what + ", which has two already");
  if (assign.attempt != trial.begun_attempt + 1)
    fault(what + " as attempt " + std::to_string(assign.attempt) + " after attempt " +
          std::to_string(trial.begun_attempt));
  trial.holder = assign.slot;
  trial.attempt = assign.attempt;
  slot.holds.push_back(assign.trial);
}

void SimulationBooks::on_withdraw(const WithdrawTrial& withdraw) {
  ++result_.withdrawals;
  const TrialBook& trial = trials_.at(withdraw.trial);
  if (trial.holder != withdraw.slot || trial.attempt != withdraw.attempt)
    fault(text(withdraw.trial) + " was asked back from " + text(withdraw.slot) +
          ", which does not have it");
  if (trial.begun_attempt == withdraw.attempt)
    fault(text(withdraw.trial) + " was asked back though it runs");
}

void SimulationBooks::on_failed(const TrialFailed& failed) {
  const bool answers =
      failure_ && failure_->trial == failed.trial && failure_->failure == failed.kind;
  if (!answers) fault(text(failed.trial) + " was failed without a failure of that kind");
  failure_.reset();
  trials_.at(failed.trial).failed = true;
  result_.failed[failed.trial] = failed.kind;
}

void SimulationBooks::on_forgiven(const FailureForgiven& forgiven) {
  ++result_.forgiven;
  const TrialBook& trial = trials_.at(forgiven.trial);
  if (trial.failed) fault(text(forgiven.trial) + " was forgiven a failure after it was failed");
  if (forgiven.attempt > trial.begun_attempt)
    fault(text(forgiven.trial) + " was forgiven an attempt that it did not have");
}

void SimulationBooks::close() {
  result_.finished = result_.left = 0;
  for (const auto& [id, trial] : trials_) {
    result_.finished += trial.finished;
    if (trial.finished || trial.failed) continue;
    ++result_.left;
    if (trial.holder) fault(text(id) + " was still at " + text(*trial.holder) + " at the end");
  }
}

}  // namespace windrow::scheduler
