#include "orchestrator/coordinator/coordinator.h"

#include <algorithm>

namespace windrow {

using namespace protocol;
using storage::TrialState;

namespace {

constexpr std::chrono::seconds kGatherLimit{20};  // for all ranks to say hello
constexpr std::chrono::seconds kLeaveLimit{15};   // for all agents to say goodbye
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

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Coordinator::Coordinator(const sweeps::Study& study, storage::Store& store,
                         CoordinatorOptions options, Send send, LogLine log)
    : study_(study),
      store_(store),
      options_(std::move(options)),
      send_(std::move(send)),
      log_(std::move(log)),
      progress_(study, store),
      scheduler_(scheduler::make_state()),
      agents_(static_cast<std::size_t>(options_.agents)) {
  for (AgentRecord& agent : agents_) agent.heard = began_;
  store_.record(storage::Event{
      "run", "windrow " WINDROW_VERSION " begins study " + study.name + " (" + study.hash + ")"});
  varying_ = sweeps::expand(study).varying;
}

// ---- agents come and go

void Coordinator::on_message(AgentId from, FromAgent message) {
  AgentRecord& agent = agents_.at(static_cast<std::size_t>(from.value));
  agent.heard = Clock::now();
  if (!agent.alive) {  // taken for dead: its attempts are over
    if (!std::holds_alternative<Goodbye>(message)) send_(from, Leave{"taken for dead", false});
    return;
  }
  std::visit(Overloaded{[&](Hello& m) { on_hello(from, std::move(m)); },
                        [&](TrainerReady& m) {
                          slots_[static_cast<std::size_t>(m.slot.value)].versions =
                              std::move(m.ready.versions);
                        },
                        [&](AttemptStarted& m) { on_started(std::move(m)); },
                        [&](AttemptEpoch& m) { on_epoch(std::move(m)); },
                        [&](AttemptFinished& m) { on_finished(std::move(m)); },
                        [&](AttemptFailed& m) { on_failed(std::move(m)); },
                        [&](Withdrawn& m) {
                          if (live(m.trial, m.attempt, m.slot) != nullptr) live_.erase(m.trial);
                          scheduler::on_withdrawn(scheduler_, m.slot, m.trial, m.attempt,
                                                  commands_);
                        },
                        [&](AgentHeartbeat&) {},
                        [&](StopRequested& m) { stop(false, m.reason + " on " + agent.host); },
                        [&](Goodbye& m) { on_goodbye(from, m.reason); }},
             message);
  carry_out();
  leave_when_done();
}

void Coordinator::on_hello(AgentId from, Hello hello) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(from.value)];
  agent.joined = true;
  agent.host = hello.host;
  const std::string who = "rank " + std::to_string(from.value) + " on " + hello.host;
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
  for (const protocol::SlotInfo& info : hello.slots) {
    const SlotId id{static_cast<std::int64_t>(slots_.size())};
    slots_.push_back({from, info.device});
    agent.slots.push_back(id);
    store_.record(storage::SlotRecord{id, hello.host, static_cast<int>(from.value), info.device,
                                      info.threads});
  }
  // Rank 0's agent shares the coordinator's process: neither can outlive the other.
  const double lost_seconds = from.value == 0 ? 0 : options_.lost_seconds;
  send_(from, Welcome{agent.slots, study_.trainer, lost_seconds});
  log_("debug", who + " joined with " + std::to_string(hello.slots.size()) + " slots");
  if (phase_ == Phase::running) {
    scheduler::on_agent_joined(scheduler_, from, agent.slots, commands_);
  } else {
    begin_when_gathered(Clock::now());
  }
}

// Nothing starts before every rank has been seen to run the same version of the same study.
void Coordinator::begin_when_gathered(Clock::time_point now) {
  if (phase_ != Phase::gathering) return;
  const bool all = std::all_of(agents_.begin(), agents_.end(),
                               [](const AgentRecord& agent) { return agent.joined; });
  if (!all && now - began_ < kGatherLimit) return;
  phase_ = Phase::running;
  add_new_trials();
  if (stopping_) scheduler::on_stop_requested(scheduler_, commands_);
  for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
    const AgentId id{static_cast<std::int64_t>(rank)};
    if (agents_[rank].joined)
      scheduler::on_agent_joined(scheduler_, id, agents_[rank].slots, commands_);
    else
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
  lost_an_agent_ = true;
  const std::string who = "rank " + std::to_string(id.value) + " on " + agent.host;
  log_("error", who + " is lost: " + why + "; its trials go to other slots");
  store_.record(storage::Event{"agent lost", who + ": " + why});
  for (auto it = live_.begin(); it != live_.end();) {
    const auto& [trial, attempt] = *it;
    if (slots_[static_cast<std::size_t>(attempt.slot.value)].agent != id) {
      ++it;
      continue;
    }
    if (attempt.began)
      store_.record(storage::AttemptFailed{.trial = trial,
                                           .attempt = attempt.attempt,
                                           .kind = FailureKind::node,
                                           .message = why,
                                           .host = agent.host,
                                           .rank = static_cast<int>(id.value),
                                           .slot = attempt.slot});
    progress_.trial(trial).attempts = attempt.began ? attempt.attempt : attempt.attempt - 1;
    it = live_.erase(it);
  }
  for (const SlotId slot : agent.slots)
    slots_[static_cast<std::size_t>(slot.value)].running.reset();
  scheduler::on_agent_lost(scheduler_, id, commands_);
}

void Coordinator::on_goodbye(AgentId from, const std::string& reason) {
  AgentRecord& agent = agents_[static_cast<std::size_t>(from.value)];
  agent.gone = true;
  if (phase_ != Phase::leaving) lose_agent(from, reason.empty() ? "it left" : reason);
}

// ---- attempts

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
  const Failed& failed = message.failed;
  const Live* attempt = live(failed.trial, failed.attempt, message.slot);
  if (attempt == nullptr) return;
  const bool began = attempt->began;
  const TrialId id = failed.trial;
  SlotInfo& slot = slots_[static_cast<std::size_t>(message.slot.value)];
  const AgentRecord& agent = agents_[static_cast<std::size_t>(slot.agent.value)];
  slot.running.reset();
  live_.erase(id);
  progress_.trial(id).attempts = failed.attempt;
  const std::size_t before = commands_.size();
  scheduler::on_attempt_failed(scheduler_, message.slot, id, failed.attempt, failed.kind,
                               commands_);
  bool final = false;
  for (std::size_t i = before; i < commands_.size(); ++i)
    if (const auto* lost = std::get_if<scheduler::TrialFailed>(&commands_[i]))
      final |= lost->trial == id;
  store_.record(storage::AttemptFailed{
      id, failed.attempt, began, failed.kind, failed.message, message.exit_code, message.signal,
      agent.host, static_cast<int>(slot.agent.value), message.slot, message.stderr_tail, final});
  if (failed.kind != FailureKind::preempted) {
    std::string text = name_trial(id) + " attempt " + std::to_string(failed.attempt) + " failed (" +
                       std::string(to_string(failed.kind)) + "): " + failed.message;
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
  refuse("the trainer does not start: " + message.failed.message + last_lines(message.stderr_tail) +
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

// ---- trials

void Coordinator::add_new_trials() {
  std::vector<scheduler::TrialSpec> specs;
  for (const TrialId id : progress_.expand()) {
    const TrialRecord& trial = progress_.trial(id);
    if (trial.state == TrialState::finished || trial.state == TrialState::failed) continue;
    const Json& parameters = progress_.cell(trial).parameters;
    const auto steps = parameters.find("steps_per_epoch");
    const double steps_per_epoch =
        steps != parameters.end() && steps->is_number() ? std::max(1.0, steps->get<double>()) : 1.0;
    specs.push_back({id, static_cast<int>(trial.cell), trial.epochs * steps_per_epoch, trial.epochs,
                     std::min(trial.committed_epochs, trial.epochs), trial.attempts,
                     trial.epoch_seconds, trial.failures});
  }
  scheduler::on_trials_added(scheduler_, specs, commands_);
}

void Coordinator::carry_out() {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const scheduler::Command command = commands_[i];
    if (const auto* assignment = std::get_if<scheduler::AssignTrial>(&command)) {
      assign(*assignment);
    } else if (const auto* withdraw = std::get_if<scheduler::WithdrawTrial>(&command)) {
      send_(slots_[static_cast<std::size_t>(withdraw->slot.value)].agent,
            Withdraw{withdraw->slot, withdraw->trial, withdraw->attempt});
    } else if (const auto* drained = std::get_if<scheduler::SlotDrained>(&command)) {
      const SlotInfo& slot = slots_[static_cast<std::size_t>(drained->slot.value)];
      const std::string text = "slot " + std::to_string(drained->slot.value) + " (" + slot.device +
                               " on " + agents_[static_cast<std::size_t>(slot.agent.value)].host +
                               ") gets no more trials: " + drained->reason;
      log_("error", text);
      store_.record(storage::Event{"slot drained", text});
    }
  }
  commands_.clear();
}

void Coordinator::assign(const scheduler::AssignTrial& command) {
  live_[command.trial] = {command.slot, command.attempt};
  send_(slots_[static_cast<std::size_t>(command.slot.value)].agent,
        Assign{command.slot, make_start(command.trial, command.attempt)});
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
          .committed_epochs = trial.committed_epochs};
}

std::string Coordinator::checkpoint_dir(TrialId trial) const {
  if (options_.checkpoints.empty()) return "";
  return options_.checkpoints + "/trial-" + std::to_string(trial.value);
}

std::string Coordinator::name_trial(TrialId id) const {
  const TrialRecord& trial = progress_.trial(id);
  std::string name = "trial " + std::to_string(id.value);
  for (const std::string& key : varying_) {
    const auto value = progress_.cell(trial).parameters.find(key);
    if (value == progress_.cell(trial).parameters.end()) continue;
    name += " " + key + "=" + (value->is_string() ? value->get<std::string>() : value->dump());
  }
  return name + " seed=" + std::to_string(trial.seed);
}

// ---- ending

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

RunEnd Coordinator::end() const {
  if (!refusal_.empty()) return RunEnd::refused;
  if (!scheduler::all_over(scheduler_)) return RunEnd::interrupted;
  const bool incomplete =
      progress_.count(TrialState::failed) > 0 || !progress_.waiting_stages().empty();
  return incomplete ? RunEnd::some_failed : RunEnd::all_done;
}

RunView Coordinator::view() const {
  RunView view;
  view.study = study_.name;
  view.trials = static_cast<int>(progress_.size());
  view.finished = progress_.count(TrialState::finished);
  view.failed = progress_.count(TrialState::failed);
  view.epochs_done = epochs_done_;
  view.seconds_left = scheduler::expected_remaining_seconds(scheduler_);
  view.waiting_stages = progress_.waiting_stages();
  view.stopping = stopping_;
  for (const SlotInfo& slot : slots_) {
    SlotView& out = view.slots.emplace_back();
    out.host = agents_[static_cast<std::size_t>(slot.agent.value)].host;
    out.device = slot.device;
    out.trial = slot.running;
    if (!slot.running) continue;
    ++view.running;
    out.what = name_trial(*slot.running);
    out.epoch = slot.epoch;
    out.epochs = progress_.trial(*slot.running).epochs;
  }
  return view;
}

}  // namespace windrow
