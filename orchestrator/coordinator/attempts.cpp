// What agents report of attempts: into the scheduler as events, into storage as records.
#include <algorithm>

#include "orchestrator/coordinator/coordinator.h"

namespace windrow {

using namespace protocol;
using storage::TrialState;

namespace {

constexpr int kFailedStartsLimit = 3;

// The end of what a trainer wrote, indented below a message; the database has more of it.
std::string last_lines(std::string_view text) {
  constexpr int kLines = 8;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return "";
  std::size_t begin = text.size();
  for (int line = 0; line < kLines && begin != std::string_view::npos && begin > 0; ++line)
    begin = text.rfind('\n', begin - 1);
  std::string lines(text.substr(begin == std::string_view::npos || begin == 0 ? 0 : begin + 1));
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += 3)
    lines.insert(at + 1, "  ");
  return "\n  " + lines;
}

}  // namespace

Coordinator::Live* Coordinator::live(TrialId trial, int attempt, SlotId slot) {
  const auto found = live_.find(trial);
  if (found == live_.end() || found->second.attempt != attempt || found->second.slot != slot)
    return nullptr;
  return &found->second;
}

void Coordinator::on_started(AttemptStarted message) {
  const Started& started = message.started;
  Live* attempt = live(started.trial, started.attempt, message.slot);
  if (attempt == nullptr || attempt->began) return;
  attempt->began = anything_began_ = true;
  SlotInfo& slot = slots_[static_cast<std::size_t>(message.slot.value)];
  slot.running = started.trial;
  slot.epoch =
      std::max(started.resumed_from_epoch, progress_.trial(started.trial).committed_epochs);
  store_.record(storage::AttemptBegan{started.trial,
                                      started.attempt,
                                      agents_[static_cast<std::size_t>(slot.agent.value)].host,
                                      static_cast<int>(slot.agent.value),
                                      {message.slot},
                                      slot.device,
                                      slot.versions,
                                      started.info,
                                      started.resumed_from_epoch});
  scheduler::on_attempt_started(scheduler_, message.slot, started.trial, started.attempt,
                                commands_);
}

void Coordinator::on_epoch(AttemptEpoch message) {
  Epoch& epoch = message.epoch;
  Live* attempt = live(epoch.trial, epoch.attempt, message.slot);
  if (attempt == nullptr) return;
  attempt->keeps_checkpoints |= !epoch.checkpoint.empty();
  slots_[static_cast<std::size_t>(message.slot.value)].epoch = epoch.epoch;
  TrialRecord& trial = progress_.trial(epoch.trial);
  trial.committed_epochs = std::max(trial.committed_epochs, epoch.epoch);
  ++epochs_done_;
  scheduler::on_epoch(scheduler_, message.slot, epoch.trial, epoch.attempt, epoch.epoch,
                      epoch.wall_seconds, commands_);
  store_.record(storage::EpochDone{std::move(epoch)});
}

void Coordinator::on_finished(AttemptFinished message) {
  Finished& finished = message.finished;
  const Live* attempt = live(finished.trial, finished.attempt, message.slot);
  if (attempt == nullptr) return;
  const TrialId id = finished.trial;
  const bool clean = attempt->keeps_checkpoints || !study_.trainer.command.empty() ||
                     progress_.trial(id).attempts > 0;
  SlotInfo& slot = slots_[static_cast<std::size_t>(message.slot.value)];
  slot.running.reset();
  live_.erase(id);
  scheduler::on_attempt_finished(scheduler_, message.slot, id, finished.attempt, commands_);
  const std::uint64_t number = store_.record(storage::AttemptFinished{std::move(finished)});
  // The checkpoints may go only once the result is durable.
  if (clean && !options_.checkpoints.empty()) forgotten_.push_back({number, slot.agent, id});
  trial_over(id, TrialState::finished);
}

void Coordinator::on_failed(AttemptFailed message) {
  const Live* attempt = live(message.trial, message.attempt, message.slot);
  if (attempt == nullptr) return;
  const bool began = attempt->began;
  const TrialId id = message.trial;
  SlotInfo& slot = slots_[static_cast<std::size_t>(message.slot.value)];
  const AgentRecord& agent = agents_[static_cast<std::size_t>(slot.agent.value)];
  slot.running.reset();
  live_.erase(id);
  progress_.trial(id).attempts = message.attempt;
  const std::size_t before = commands_.size();
  scheduler::on_attempt_failed(scheduler_, message.slot, id, message.attempt, message.kind,
                               commands_);
  bool final = false;
  for (std::size_t i = before; i < commands_.size(); ++i)
    if (const auto* lost = std::get_if<scheduler::TrialFailed>(&commands_[i]))
      final |= lost->trial == id;
  store_.record(storage::AttemptFailed{
      id, message.attempt, began, message.kind, message.message, message.exit_code, message.signal,
      agent.host, static_cast<int>(slot.agent.value), message.slot, message.stderr_tail, final});
  if (message.kind != FailureKind::preempted) {
    std::string text = name_trial(id) + " attempt " + std::to_string(message.attempt) +
                       " failed (" + std::string(to_string(message.kind)) + "): " + message.message;
    text += last_lines(message.stderr_tail);
    log_(final ? "error" : "warning", text);
  }
  if (final) trial_over(id, TrialState::failed);
  if (!began && !anything_began_) check_trainer_starts(message);
}

// A trainer that can't start at all is the study's fault, not the trials': nothing is blamed on
// them beyond these few attempts.
void Coordinator::check_trainer_starts(const AttemptFailed& message) {
  if (++failed_starts_ < kFailedStartsLimit) return;
  refuse("the trainer does not start: " + message.message + last_lines(message.stderr_tail) +
         (study_.trainer.command.empty() ? ""
                                         : "\na program that doesn't speak the line protocol needs "
                                           "`persistent: false` under trainer:") +
         "\ntry the trainer's command by hand on " +
         agents_[static_cast<std::size_t>(
                     slots_[static_cast<std::size_t>(message.slot.value)].agent.value)]
             .host);
}

void Coordinator::trial_over(TrialId trial, TrialState state) {
  if (progress_.on_trial_over(trial, state)) add_new_trials();
}

}  // namespace windrow
