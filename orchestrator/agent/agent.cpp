#include "orchestrator/agent/agent.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "orchestrator/origin/code_copy.h"
#include "protocol/arguments.h"
#include "protocol/teams.h"

namespace windrow {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kTrainerLeaveGrace{5};

// The trainer sees its own GPU alone, as device 0, and keeps to its threads.
std::vector<std::pair<std::string, std::string>> slot_environment(const SlotInfo& info,
                                                                  std::int64_t sharing) {
  std::vector<std::pair<std::string, std::string>> environment = {
      {"OMP_NUM_THREADS", std::to_string(info.threads)},
      {"MKL_NUM_THREADS", std::to_string(info.threads)}};
  if (info.device.starts_with("cuda:")) {
    environment.emplace_back("CUDA_VISIBLE_DEVICES", info.device.substr(5));
    environment.emplace_back("CUDA_DEVICE_ORDER",
                             "PCI_BUS_ID");  // as the device files are numbered
    environment.emplace_back("WINDROW_GPU_SLOTS", std::to_string(sharing));
    environment.emplace_back("CUBLAS_WORKSPACE_CONFIG", ":4096:8");  // its sums keep their order
  }
  return environment;
}

}  // namespace

Agent::Agent(Host& host, AgentOptions options, SlotRunner::Now now, Send send,
             SlotRunner::LogLine log)
    : host_(host),
      options_(std::move(options)),
      now_(std::move(now)),
      send_(std::move(send)),
      log_(std::move(log)),
      lost_seconds_(options_.welcome_seconds) {}

void Agent::say_hello() {
  heard_ = sent_ = now_();
  send_(Hello{WINDROW_VERSION, options_.study_hash, options_.host, getpid(), options_.slots,
              options_.faults, options_.job});
}

std::size_t Agent::index_of(SlotId slot) const {
  const auto found = std::find(ids_.begin(), ids_.end(), slot);
  if (found == ids_.end())
    throw std::logic_error("slot " + std::to_string(slot.value) + " is not this agent's");
  return static_cast<std::size_t>(found - ids_.begin());
}

void Agent::on_message(ToAgent message) {
  heard_ = now_();
  if (auto* welcomed = std::get_if<Welcome>(&message)) {
    welcome(std::move(*welcomed));
  } else if (auto* assignment = std::get_if<Assign>(&message)) {
    assign(std::move(*assignment));
  } else if (const auto* withdraw = std::get_if<Withdraw>(&message)) {
    runners_[index_of(withdraw->slot)]->withdraw(withdraw->trial, withdraw->attempt);
  } else if (const auto* cancel = std::get_if<CancelTrial>(&message)) {
    runners_[index_of(cancel->slot)]->cancel(cancel->trial, cancel->attempt);
  } else if (const auto* set = std::get_if<SetSlotGang>(&message)) {
    runners_[index_of(set->slot)]->set_gang(set->gang);
  } else if (const auto* order = std::get_if<StopAll>(&message)) {
    stop(order->now);
  } else if (const auto* forget = std::get_if<Forget>(&message)) {
    host_.remove_folder(forget->checkpoint_dir);
  } else if (const auto* left = std::get_if<Leave>(&message)) {
    come_again_ = left->come_again;
    leave(left->error);
  }
}

void Agent::welcome(Welcome message) {
  lost_seconds_ = message.lost_seconds;
  until_ms_ = message.until_ms;
  if (options_.until_ms > 0 && (until_ms_ == 0 || options_.until_ms < until_ms_))
    until_ms_ = options_.until_ms;
  ids_ = message.slots;
  options_.slots = teams_of(options_.slots, message.trainer.gang);
  shipped_ = message.trainer.command.empty();
  if (shipped_) {
    message.trainer.command = options_.trainer;
    message.trainer.persistent = true;
  }
  watch_ = host_.watch_program(message.trainer, shipped_);
  if (!ids_.empty()) send_(EnvironmentSeen{host_.environment(message.trainer.command)});
  const origin::CodeCopy copy{message.trainer.freeze, message.trainer.code,
                              std::filesystem::current_path()};
  message.trainer.command = copy.words(message.trainer.command);
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    const auto sharing = std::ranges::count(options_.slots, options_.slots[i].device,
                                            [](const SlotInfo& slot) { return slot.device; });
    SlotSettings settings{{.slot = ids_[i],
                           .trainer = message.trainer,
                           .shipped = shipped_,
                           .stop_within_seconds = message.stop_within_seconds},
                          slot_environment(options_.slots[i], sharing),
                          options_.host + " " + options_.slots[i].device,
                          [this] { return program(); }};
    for (const auto& variable : copy.environment()) settings.environment.push_back(variable);
    if (i == 0) tell_overrides(settings.environment);
    runners_.push_back(std::make_unique<SlotRunner>(
        host_, std::move(settings), now_, [this](FromAgent m) { report(std::move(m)); }, log_));
  }
  closed_.assign(ids_.size(), false);
  if (stopped_) stop(false);
}

void Agent::assign(Assign message) {
  const std::size_t index = index_of(message.slot);
  message.start.device = options_.slots[index].device == "cpu" ? "cpu" : "cuda";
  message.start.threads = options_.slots[index].threads;
  runners_[index]->assign(std::move(message.start));
}

void Agent::stop(bool at_once, std::optional<double> within_seconds) {
  stopped_ = true;
  for (std::size_t i = 0; options_.guest && i < closed_.size(); ++i) close(i);
  for (auto& each : runners_) each->stop(at_once, within_seconds);
}

// A slot of a guest that has no time for another epoch has none for another trial either.
void Agent::report(FromAgent message) {
  const auto* failed = std::get_if<AttemptFailed>(&message);
  const bool no_time = options_.guest && failed != nullptr && !stopped_ && until_ms_ > 0 &&
                       failed->kind == FailureKind::preempted;
  const SlotId slot = failed != nullptr ? failed->slot : SlotId{};
  if (no_time) close(index_of(slot));
  send_(std::move(message));
}

// The coordinator hears of it before what is queued there comes back.
void Agent::close(std::size_t slot) {
  if (closed_[slot]) return;
  closed_[slot] = true;
  send_(SlotClosing{ids_[slot]});
}

void Agent::leave_when_closed() {
  for (std::size_t i = 0; i < closed_.size(); ++i)
    if (closed_[i] && !stopped_) runners_[i]->stop(false);
  const bool all = options_.guest && std::ranges::all_of(closed_, [](bool one) { return one; });
  const bool idle = std::ranges::all_of(runners_, [](const auto& each) { return each->idle(); });
  // Before it is welcomed there is nothing to close.
  if (all && idle && (stopped_ || !closed_.empty())) leave("");
}

void Agent::leave(const std::string& error) {
  if (leaving_) return;
  leaving_ = true;
  leaving_since_ = now_();
  error_ = error;
  for (auto& each : runners_) each->shut_down();
  tick(false);
}

std::string Agent::program() {
  const Program& now = watch_();
  if (programs_.insert(now.hash).second) send_(ProgramSeen{now});
  return now.hash;
}

// Trainers of all slots get the same ones.
void Agent::tell_overrides(const Variables& environment) {
  for (const auto& [name, users, trainers] : overrides(own_environment(), environment))
    log_("info", "trainers get " + name + "=" + trainers + ", not your " + name + "=" + users);
}

void Agent::say_alive(slot::Time now) {
  const std::chrono::duration<double> quiet = now - sent_;
  if (lost_seconds_ <= 0 || quiet.count() <= std::min(2.0, lost_seconds_ / 10)) return;
  send_(AgentHeartbeat{});
  sent_ = now;
}

void Agent::mind_coordinator(slot::Time now, bool mail_read) {
  const std::chrono::duration<double> silence = now - heard_;
  if (lost_seconds_ <= 0 || !mail_read || silence.count() <= lost_seconds_) return;
  lost_coordinator_ = true;
  for (std::size_t slot = 0; slot < closed_.size(); ++slot) close(slot);  // it may only be paused
  leave("the coordinator has not been heard of for " +
        std::to_string(static_cast<int>(silence.count())) + " s; taking it for dead");
}

// The limit is a time of day, and the slots' clock is another.
void Agent::mind_time_limit(slot::Time now) {
  if (until_ms_ == 0) return;
  const auto wall = host_.time_of_day().time_since_epoch();
  const auto left = std::chrono::milliseconds(until_ms_) -
                    std::chrono::duration_cast<std::chrono::milliseconds>(wall);
  for (auto& each : runners_) each->set_until(now + left);
}

void Agent::tick(bool mail_read) {
  if (gone_) return;
  const slot::Time now = now_();
  mind_time_limit(now);
  host_.look_for_memory_kills();
  for (auto& each : runners_) each->tick();
  say_alive(now);  // also while it waits for trainers to end
  if (!leaving_) leave_when_closed();
  if (!leaving_) mind_coordinator(now, mail_read);
  if (!leaving_ || gone_) return;
  if (now - leaving_since_ > kTrainerLeaveGrace)
    for (auto& each : runners_) each->abandon();
  if (std::all_of(runners_.begin(), runners_.end(), [](auto& each) { return each->quiet(); })) {
    gone_ = true;
    send_(Goodbye{error_});
  }
}

}  // namespace windrow
