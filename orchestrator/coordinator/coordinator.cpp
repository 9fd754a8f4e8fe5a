#include "orchestrator/coordinator/coordinator.h"

#include <algorithm>
#include <utility>

#include "orchestrator/coordinator/trial_folder.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow {

using namespace protocol;
using storage::TrialState;

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Coordinator::Coordinator(const sweeps::Study& study, storage::Store& store,
                         CoordinatorOptions options, Send send, Lose lose, LogLine log)
    : study_(study),
      store_(store),
      options_(std::move(options)),
      send_(std::move(send)),
      lose_(std::move(lose)),
      log_(std::move(log)),
      progress_(study, store, options_.expansion),
      waves_(study.seeds, options_.order),
      scheduler_(scheduler::make_state({}, options_.gangs)),
      agents_(static_cast<std::size_t>(options_.agents)),
      kept_(sweeps::kept_checkpoints(study),
            study.report.compare ? study.report.compare->goal : Goal::minimize) {
  for (const FinishedTrial& before : options_.kept) kept_.add(before);
  store_.record(storage::RunFacts{options_.checkpoints});
  store_.record(storage::Event{
      "run", "windrow " WINDROW_VERSION " begins study " + study.name + " (" + study.hash + ")"});
  progress_.begin_expand();
}

void Coordinator::on_message(AgentId from, FromAgent message) {
  if (is_guest(from) && static_cast<std::size_t>(from.value) == agents_.size())
    agents_.emplace_back();
  AgentRecord& agent = agents_.at(static_cast<std::size_t>(from.value));
  agent.heard = now_;
  if (!agent.alive) {  // taken for dead: its attempts are over
    if (!std::holds_alternative<Goodbye>(message)) send_(from, Leave{"taken for dead", true});
    return;
  }
  std::visit(
      Overloaded{[&](Hello& m) { on_hello(from, std::move(m)); },
                 [&](ProgramSeen& m) { on_program(from, m.program); },
                 [&](EnvironmentSeen& m) {
                   store_.record(storage::EnvironmentRecord{agent.slots, std::move(m.facts)});
                 },
                 [&](TrainerReady& m) {
                   trainer_ready_ = true;
                   slots_[static_cast<std::size_t>(m.slot.value)].versions.update(m.ready.versions);
                 },
                 [&](AttemptStarted& m) { on_started(std::move(m)); },
                 [&](AttemptEpoch& m) { on_epoch(std::move(m)); },
                 [&](AttemptFinished& m) { on_finished(std::move(m)); },
                 [&](AttemptFailed& m) { on_failed(std::move(m)); },
                 [&](Withdrawn& m) {
                   if (held(m.slot, m.trial, m.attempt) == scheduler::Held::queued)
                     time_.withdrawn(m.slot, seconds());
                   scheduler::on_withdrawn(scheduler_, m.slot, m.trial, m.attempt, commands_);
                 },
                 [&](AttemptWarning& m) { on_warning(m); }, [&](SlotLost& m) { on_slot_lost(m); },
                 [&](SlotClosing& m) { scheduler::on_slot_closing(scheduler_, m.slot, commands_); },
                 [&](AgentHeartbeat&) {},
                 [&](StopRequested& m) { stop(false, m.reason + " on " + agent.host); },
                 [&](Goodbye& m) { on_goodbye(from, m.reason); }},
      message);
  carry_out();
  leave_when_done();
}

// ---- trials

void Coordinator::add_new_trials(const std::vector<storage::StoredTrial>& trials) {
  std::vector<scheduler::TrialSpec> specs;
  for (const storage::StoredTrial& stored : trials) {
    const TrialRecord& trial = progress_.trial(stored.id);
    if (trial.state == TrialState::finished || trial.state == TrialState::failed) continue;
    const Json& parameters = progress_.cell(trial).parameters;
    scheduler::TrialSpec spec{.trial = stored.id,
                              .group = static_cast<int>(trial.group),
                              .declared_cost = sweeps::declared_cost(study_.task, parameters),
                              .epochs = trial.epochs,
                              .committed_epochs = std::min(trial.committed_epochs, trial.epochs),
                              .attempts = stored.attempts,
                              .epoch_seconds = stored.mean_epoch_seconds,
                              .failures = stored.failures_by_kind,
                              .stopped_runs = stored.stopped_runs,
                              .widest = widest_gang(stored.id),
                              .gang_epoch_seconds = stored.gang_epoch_seconds,
                              .wave = waves_.of(trial.seed)};
    for (const storage::UnexplainedFailure& failure : stored.unexplained)
      spec.charges.push_back({failure.attempt, failure.kind, failure.host});
    specs.push_back(std::move(spec));
  }
  const auto was_trained = [&](const storage::StoredTrial& stored) {
    return stored.committed_epochs > 0 || progress_.trial(stored.id).state == TrialState::finished;
  };
  if (std::ranges::any_of(trials, was_trained)) scheduler::on_trainers_known(scheduler_);
  scheduler::on_trials_added(scheduler_, specs, commands_);
  const auto raised =
      std::ranges::count_if(trials, [](const auto& t) { return t.raised_from > 0; });
  if (raised > 0)
    log_("info", std::to_string(raised) +
                     (raised == 1 ? " finished trial goes" : " finished trials go") +
                     " on, since " + sweeps::budget_parameter(study_) + " was raised");
  const auto cut = std::ranges::count_if(trials, [](const auto& t) { return t.is_cut; });
  if (cut > 0)
    log_("info", std::to_string(cut) + (cut == 1 ? " begun trial ends" : " begun trials end") +
                     " earlier, since " + sweeps::budget_parameter(study_) + " was lowered");
}

void Coordinator::mind_expansion() {
  if (!progress_.expanding()) return;
  const auto added = progress_.poll();
  if (!added) return;
  trials_known_ = true;
  add_new_trials(*added);
}

// One command may bring on others, and this function again: none is carried out twice.
void Coordinator::carry_out() {
  while (!commands_.empty())
    for (const scheduler::Command& command : std::exchange(commands_, {})) carry_out(command);
}

void Coordinator::carry_out(const scheduler::Command& command) {
  std::visit(
      Overloaded{[&](const scheduler::AssignTrial& c) { assign(c); },
                 [&](const scheduler::WithdrawTrial& c) {
                   send_(slot(c.slot).agent, Withdraw{c.slot, c.trial, c.attempt});
                 },
                 [&](const scheduler::EndAttempt& c) {
                   send_(slot(c.slot).agent, CancelTrial{c.slot, c.trial, c.attempt});
                 },
                 [&](const scheduler::TrialFailed& c) { fail(c); },
                 [&](const scheduler::FailureForgiven& c) {
                   store_.record(storage::FailureForgiven{c.trial, c.attempt, c.run_stopped});
                 },
                 [&](const scheduler::RestSlot& c) {
                   resting_.emplace(now_ + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(c.seconds)),
                                    c.slot);
                 },
                 [&](const scheduler::LendSlot& c) { lend(c); },
                 [&](const scheduler::SetHelpers& c) { set_helpers(c); },
                 [&](const scheduler::StopRun& c) { on_run_stopped(c); },
                 [&](const scheduler::SlotDrained& c) {
                   const std::string text = "slot " + std::to_string(c.slot.value) + " (" +
                                            slot(c.slot).device + " on " + agent_of(c.slot).host +
                                            ") gets no more trials: " + c.reason;
                   log_("error", text);
                   store_.record(storage::Event{"slot drained", text});
                 },
                 [&](const scheduler::SlotReadmitted& c) {
                   const std::string text =
                       "slot " + std::to_string(c.slot.value) + " (" + slot(c.slot).device +
                       " on " + agent_of(c.slot).host +
                       ") gets trials again: where they went instead, all fail";
                   log_("warning", text);
                   store_.record(storage::Event{"slot readmitted", text});
                 }},
      command);
}

void Coordinator::fail(const scheduler::TrialFailed& command) {
  store_.record(storage::TrialFailed{command.trial, command.kind});
  if (command.kind == FailureKind::cancelled)
    log_("info", name_trial(command.trial) + " is " + cancelled_by_[command.trial]);
  else
    log_("error", name_trial(command.trial) + " is failed for good (" +
                      std::string(to_string(command.kind)) + ")");
  trial_over(command.trial, TrialState::failed, command.kind);
  if (command.kind != FailureKind::cancelled) ++failed_here_;
  if (options_.stop_after_failures > 0 && failed_here_ == options_.stop_after_failures) {
    stop_reason_ = std::to_string(failed_here_) +
                   (failed_here_ == 1 ? " trial has failed" : " trials have failed") +
                   ", so the run stops (--stop-after-failures); the last failure: " + last_failure_;
    stop(false, stop_reason_);
  }
}

int Coordinator::cancel(const std::vector<TrialId>& trials, const std::string& who) {
  int open = 0;
  for (const TrialId trial : trials) {
    const auto phase = scheduler::phase_of(scheduler_, trial);
    if (!phase || *phase == scheduler::TrialPhase::finished ||
        *phase == scheduler::TrialPhase::failed)
      continue;
    ++open;
    cancelled_by_[trial] = "cancelled by " + who;
    // What waits is over with this. Of the others it is on record now, since this process may not
    // live until they have ended; where one finishes before it hears of it, its result stands.
    if (*phase != scheduler::TrialPhase::pending)
      store_.record(storage::TrialFailed{trial, FailureKind::cancelled});
    scheduler::on_trial_cancelled(scheduler_, trial, commands_);
  }
  if (open > 0) store_.record(storage::Event{"cancel", std::to_string(open) + " trials by " + who});
  carry_out();
  leave_when_done();
  return open;
}

void Coordinator::assign(const scheduler::AssignTrial& command) {
  time_.assigned(command.slot, seconds());
  if (!first_assigned_) first_assigned_ = now_;
  send_(slot(command.slot).agent, Assign{command.slot, make_start(command.trial, command.attempt)});
}

Start Coordinator::make_start(TrialId id, int attempt) {
  const TrialRecord& trial = progress_.trial(id);
  return {.trial = id,
          .attempt = attempt,
          .task = study_.task,
          .parameters = progress_.cell(trial).parameters,
          .seed = trial.seed,
          .early_stopping = study_.early_stopping,
          .data_dir = options_.data_dir,
          .checkpoint_dir = checkpoint_dir(id),
          .committed_epochs = trial.committed_epochs,
          .watched_history = trial.watched,
          .widest_gang = widest_gang(id),
          .gang_deadline = options_.gang_deadline};
}

std::string Coordinator::checkpoint_dir(TrialId trial) const {
  if (options_.checkpoints.empty()) return "";
  return options_.checkpoints + "/" + trial_folder(trial, progress_.trial(trial).redone);
}

std::string Coordinator::name_trial(TrialId id) const {
  const TrialRecord& trial = progress_.trial(id);
  std::string name = "trial " + std::to_string(id.value);
  for (const std::string& key : progress_.varying()) {
    const auto value = progress_.cell(trial).parameters.find(key);
    if (value == progress_.cell(trial).parameters.end()) continue;
    name += " " + key + "=" + (value->is_string() ? value->get<std::string>() : value->dump());
  }
  return name + " seed=" + std::to_string(trial.seed);
}

// ---- queries

RunEnd Coordinator::end() const {
  if (!refusal_.empty()) return RunEnd::refused;
  if (!trials_known_ || progress_.expanding() || !scheduler::all_over(scheduler_))
    return RunEnd::interrupted;
  const bool incomplete = progress_.count(TrialState::failed) > 0 ||
                          !progress_.waiting_stages().empty() || !progress_.short_stages().empty();
  return incomplete ? RunEnd::some_failed : RunEnd::all_done;
}

RunView Coordinator::view() const {
  RunView view;
  view.study = study_.name;
  view.trials = static_cast<int>(progress_.size());
  view.finished = progress_.count(TrialState::finished);
  view.failed = progress_.count(TrialState::failed);
  view.epochs_done = epochs_done_;
  view.trials_done = progress_.trials_done();
  view.seconds_left = scheduler::expected_remaining_seconds(scheduler_);
  view.waiting_stages = progress_.waiting_stages();
  view.short_stages = progress_.short_stages();
  view.stopping = stopping_;
  view.time = time_.use(seconds());
  view.lower_bound_seconds = time_.lower_bound();
  for (const SlotInfo& slot : slots_) {
    SlotView& out = view.slots.emplace_back();
    out.host = agents_[static_cast<std::size_t>(slot.agent.value)].host;
    out.device = slot.device;
    out.trial = slot.running;
    if (slot.helps) out.what = "helps trial " + std::to_string(slot.helps->value);
    if (!slot.running) continue;
    ++view.running;
    out.what = name_trial(*slot.running);
    out.epoch = slot.epoch;
    out.epochs = progress_.trial(*slot.running).epochs;
  }
  return view;
}

}  // namespace windrow
