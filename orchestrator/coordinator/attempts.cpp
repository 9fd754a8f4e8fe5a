// What agents report of attempts: into the scheduler as events, into storage as records.
#include <algorithm>
#include <functional>
#include <utility>

#include "orchestrator/coordinator/coordinator.h"
#include "protocol/program.h"

namespace windrow {

using namespace protocol;
using storage::TrialState;

namespace {

// A trial that held so many times its part of the memory is more likely the one that is too large.
constexpr double kFairPart = 1.5;
// And so is one that was killed so often, however little its largest process held.
constexpr int kMostCrowdings = 3;

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

// What option parsers say (exit code 2) of options that they don't have in this form.
bool refuses_its_arguments(const AttemptFailed& failed) {
  if (failed.exit_code != 2) return false;
  const auto says = [&](const char* text) {
    return failed.stderr_tail.find(text) != std::string::npos;
  };
  return says("unrecognized arguments") || says("ignored explicit argument") ||
         says("No such option") || says("does not take a value") || says("no such option");
}

}  // namespace

scheduler::Held Coordinator::held(SlotId slot, TrialId trial, int attempt) const {
  return scheduler::held(scheduler_, slot, trial, attempt);
}

Coordinator::AgentRecord& Coordinator::agent_of(SlotId id) {
  return agents_[static_cast<std::size_t>(slot(id).agent.value)];
}

void Coordinator::on_started(AttemptStarted message) {
  const Started& started = message.started;
  if (scheduler::helps(scheduler_, message.slot, started.trial, started.attempt)) return;
  if (held(message.slot, started.trial, started.attempt) != scheduler::Held::queued) return;
  SlotInfo& info = slot(message.slot);
  trainer_ready_ = true;
  info.running = started.trial;
  time_.started(message.slot, started.trial, seconds());
  info.keeps_checkpoints = false;
  info.compared.reset();
  info.gang_port = started.gang_port;
  info.reported = 0;
  info.epoch = started.resumed_from_epoch;
  store_.record(storage::AttemptBegan{started.trial,
                                      started.attempt,
                                      agent_of(message.slot).host,
                                      static_cast<int>(info.agent.value),
                                      {message.slot},
                                      info.device,
                                      info.versions,
                                      started.info,
                                      started.resumed_from_epoch,
                                      started.device_kind,
                                      started.precision,
                                      message.program});
  scheduler::on_attempt_started(scheduler_, message.slot, started.trial, started.attempt, commands_,
                                started.gang_port > 0   ? scheduler::Takes::members
                                : started.takes_threads ? scheduler::Takes::threads
                                                        : scheduler::Takes::nothing,
                                started.resumed_from_epoch);
}

// Of the same run all should be of one program: a file that is edited meanwhile, or another copy on
// a node, makes two.
void Coordinator::on_program(AgentId from, const protocol::Program& program) {
  const bool is_new = programs_.insert(program.hash).second;
  if (!is_new) return;
  store_.record(storage::ProgramRecord{program});
  if (!program_)
    program_ = program;
  else
    log_("warning", name_agent(from) + " trains with another program from now on: " +
                        protocol::difference(*program_, program) +
                        "; tables mark the cells whose programs differ");
  if (programs_.size() > 1) program_changed_ = true;
}

void Coordinator::on_epoch(AttemptEpoch message) {
  Epoch& epoch = message.epoch;
  if (held(message.slot, epoch.trial, epoch.attempt) == scheduler::Held::no) return;
  SlotInfo& info = slot(message.slot);
  info.keeps_checkpoints |= !epoch.checkpoint.empty();
  info.epoch = epoch.epoch;
  const bool is_new = std::exchange(info.reported, epoch.epoch) != epoch.epoch;
  progress_.on_epoch(epoch.trial, epoch.epoch);
  if (study_.report.compare)
    if (const auto value = epoch.metrics.find(study_.report.compare->metric);
        value != epoch.metrics.end())
      info.compared = value->second;
  TrialRecord& trial = progress_.trial(epoch.trial);
  if (study_.early_stopping && !study_.trainer.command.empty()) {
    const auto metric = epoch.metrics.find(study_.early_stopping->metric);
    std::erase_if(trial.watched, [&](const Watched& one) {
      return metric != epoch.metrics.end() && one.epoch >= epoch.epoch;
    });
    if (metric != epoch.metrics.end()) trial.watched.push_back({epoch.epoch, metric->second});
  }
  epochs_done_ += is_new;  // a program may tell an epoch in several lines
  if (is_new) time_.epoch(message.slot, epoch.wall_seconds, epoch.members);
  if (is_new)
    scheduler::on_epoch(scheduler_, message.slot, epoch.trial, epoch.attempt, epoch.epoch,
                        epoch.wall_seconds, commands_, epoch.members);
  const TrialId id = epoch.trial;
  store_.record(storage::EpochDone{std::move(epoch)});
  if (options_.first_epochs_only && is_new) cancel({id}, "--smoke");
}

void Coordinator::on_finished(AttemptFinished message) {
  Finished& finished = message.finished;
  const TrialId id = finished.trial;
  if (scheduler::helps(scheduler_, message.slot, id, finished.attempt))
    return on_helper_over(message.slot, id, finished.attempt);
  if (held(message.slot, id, finished.attempt) == scheduler::Held::no) return;
  SlotInfo& info = slot(message.slot);
  end_attempt(message.slot, TimeAccount::End::finished);
  const bool clean =
      info.keeps_checkpoints || !study_.trainer.command.empty() || finished.attempt > 1;
  info.running.reset();
  if (scheduler::is_refused(scheduler_, id)) {  // it is failed in the database already
    scheduler::on_attempt_finished(scheduler_, message.slot, id, finished.attempt, commands_);
    return;
  }
  scheduler::on_attempt_finished(scheduler_, message.slot, id, finished.attempt, commands_);
  std::optional<double> value = info.compared;
  if (study_.report.compare)
    if (const auto result = finished.result.find(study_.report.compare->metric);
        result != finished.result.end())
      value = result->second;
  const std::uint64_t number = store_.record(
      storage::AttemptFinished{std::move(finished), message.unread_lines, message.usage});
  if (clean && !options_.checkpoints.empty()) settle_checkpoints(id, info.agent, value, number);
  trial_over(id, TrialState::finished);
}

// What goes may go only once record `number`, the result, is durable.
void Coordinator::settle_checkpoints(TrialId trial, AgentId agent, std::optional<double> value,
                                     std::uint64_t number) {
  for (const FinishedTrial& leaves : kept_.add({trial, agent, value}))
    forgotten_.push_back({number, leaves.agent.value_or(agent), leaves.trial});
}

void Coordinator::on_failed(AttemptFailed message) {
  const TrialId id = message.trial;
  if (scheduler::helps(scheduler_, message.slot, id, message.attempt))
    return on_helper_over(message.slot, id, message.attempt, &message);
  const scheduler::Held at = held(message.slot, id, message.attempt);
  if (at == scheduler::Held::no) return;
  SlotInfo& info = slot(message.slot);
  const bool stopped =
      message.kind == FailureKind::preempted || message.kind == FailureKind::cancelled;
  end_attempt(message.slot, stopped ? TimeAccount::End::stopped : TimeAccount::End::failed);
  info.running.reset();
  // It costs nothing, so only those may say it who can have lost a member.
  if (message.kind == FailureKind::gang && info.gang_port == 0) message.kind = FailureKind::crash;
  if (message.kind == FailureKind::cancelled) message.message = cancelled_by_[id];
  const std::string host = agent_of(message.slot).host;
  store_.record(storage::AttemptFailed{.trial = id,
                                       .attempt = message.attempt,
                                       .began = at == scheduler::Held::begun,
                                       .kind = message.kind,
                                       .message = message.message,
                                       .exit_code = message.exit_code,
                                       .signal = message.signal,
                                       .host = host,
                                       .rank = static_cast<int>(info.agent.value),
                                       .slot = message.slot,
                                       .stderr_tail = message.stderr_tail,
                                       .unread_lines = message.unread_lines,
                                       .usage = message.usage});
  if (!stopped) {
    last_failure_ = message.message + last_lines(message.stderr_tail);
    if (!study_.trainer.persistent && refuses_its_arguments(message))
      last_failure_ +=
          "\n  parameters are passed as --name=value; `arguments: flags` under trainer: passes "
          "true "
          "as --name, `none` leaves them to WINDROW_PARAMETERS (docs/study-file.md)";
    last_failed_host_ = host;
    log_("warning", name_trial(id) + " attempt " + std::to_string(message.attempt) + " failed (" +
                        std::string(to_string(message.kind)) + "): " + last_failure_);
  }
  // Failures look alike that have the same kind and end alike.
  const std::string looks = std::string(to_string(message.kind)) + " " +
                            std::to_string(message.exit_code.value_or(-1)) + " " +
                            std::to_string(message.signal.value_or(-1));
  scheduler::on_attempt_failed(
      scheduler_, message.slot, id, message.attempt,
      {message.kind, message.reached, std::hash<std::string>{}(looks), crowded(message)},
      commands_);
}

// Whose memory was too small for all who share it, where that is more likely than that the trial is
// too large.
std::string Coordinator::crowded(const AttemptFailed& message) {
  if (message.kind != FailureKind::oom) return "";
  if (message.memory_limit == 0) return shares_its_gpu(message.slot) ? "its GPU" : "";
  const int sharing = slots_beside(message.slot);
  const auto held = static_cast<double>(message.usage.value_or(Usage{}).peak_memory);
  const bool had_its_part =
      sharing > 1 && held * sharing <= kFairPart * static_cast<double>(message.memory_limit);
  return had_its_part && ++crowded_out_[message.trial] <= kMostCrowdings ? "its host" : "";
}

// In service on its host, itself among them.
int Coordinator::slots_beside(SlotId id) {
  int count = 0;
  for (const AgentRecord& agent : agents_)
    if (agent.host == agent_of(id).host)
      count += static_cast<int>(std::ranges::count_if(
          agent.slots, [&](SlotId other) { return scheduler::in_service(scheduler_, other); }));
  return count;
}

bool Coordinator::shares_its_gpu(SlotId id) {
  if (!slot(id).device.starts_with("cuda")) return false;
  return std::ranges::count_if(agent_of(id).slots, [&](SlotId other) {
           return slot(other).device == slot(id).device && scheduler::in_service(scheduler_, other);
         }) > 1;
}

void Coordinator::on_warning(const AttemptWarning& message) {
  const std::string text = name_trial(message.trial) + ": " + message.text;
  log_("warning", text);
  store_.record(storage::Event{"warning", text});
}

void Coordinator::on_slot_lost(const SlotLost& message) {
  scheduler::on_slot_lost(scheduler_, message.slot, message.reason, commands_);
}

// No trial is blamed: what fails everywhere is the program, the data or the machines.
void Coordinator::on_run_stopped(const scheduler::StopRun& stopped) {
  using enum scheduler::StopRun::Why;
  if (stopped.why == never_ready) {
    refuse(
        "the trainer does not start: " + last_failure_ +
        (study_.trainer.persistent
             ? "\na program that doesn't speak the line protocol needs `persistent: false` under "
               "trainer:"
             : "") +
        "\ntry the trainer's command by hand on " + last_failed_host_);
    return;
  }
  const std::string why =
      std::string(stopped.why == none_trained
                      ? "nothing that is left could be trained, though trials were in earlier "
                        "runs,"
                      : "everything fails alike on all slots,") +
      " so the run stops and no trial is charged; the last failure: " + last_failure_ +
      "\nmend the cause and run the same command again";
  stop_reason_ = why;
  stop(false, why);
}

void Coordinator::trial_over(TrialId trial, TrialState state, std::optional<FailureKind> failure) {
  if (progress_.on_trial_over(trial, state, failure) && !progress_.expanding())
    progress_.begin_expand();
}

}  // namespace windrow
