#include "orchestrator/agent/agent.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace windrow {

using namespace protocol;

namespace {

constexpr std::chrono::seconds kTrainerLeaveGrace{5};

// The trainer sees its own GPU alone, as device 0, and keeps to its threads.
std::vector<std::pair<std::string, std::string>> slot_environment(const SlotInfo& info) {
  std::vector<std::pair<std::string, std::string>> environment = {
      {"OMP_NUM_THREADS", std::to_string(info.threads)},
      {"MKL_NUM_THREADS", std::to_string(info.threads)}};
  if (info.device.starts_with("cuda:"))
    environment.emplace_back("CUDA_VISIBLE_DEVICES", info.device.substr(5));
  return environment;
}

}  // namespace

Agent::Agent(EventLoop& loop, AgentOptions options, Send send, SlotRunner::LogLine log)
    : loop_(loop),
      options_(std::move(options)),
      send_(std::move(send)),
      log_(std::move(log)),
      lost_seconds_(options_.welcome_seconds) {}

void Agent::say_hello() {
  heard_ = sent_ = Clock::now();
  send_(Hello{WINDROW_VERSION, options_.study_hash, options_.host, getpid(), options_.slots});
}

std::size_t Agent::index_of(SlotId slot) const {
  const auto found = std::find(ids_.begin(), ids_.end(), slot);
  if (found == ids_.end())
    throw std::logic_error("slot " + std::to_string(slot.value) + " is not this agent's");
  return static_cast<std::size_t>(found - ids_.begin());
}

void Agent::on_message(ToAgent message) {
  heard_ = Clock::now();
  if (auto* welcomed = std::get_if<Welcome>(&message)) {
    welcome(std::move(*welcomed));
  } else if (auto* assign = std::get_if<Assign>(&message)) {
    const std::size_t index = index_of(assign->slot);
    assign->start.device = options_.slots[index].device == "cpu" ? "cpu" : "cuda";
    assign->start.threads = options_.slots[index].threads;
    runners_[index]->assign(std::move(assign->start));
  } else if (const auto* withdraw = std::get_if<Withdraw>(&message)) {
    runners_[index_of(withdraw->slot)]->withdraw(withdraw->trial, withdraw->attempt);
  } else if (const auto* stop = std::get_if<StopAll>(&message)) {
    for (auto& each : runners_) each->stop(stop->now);
  } else if (const auto* forget = std::get_if<Forget>(&message)) {
    std::error_code ignored;  // nothing depends on it
    std::filesystem::remove_all(forget->checkpoint_dir, ignored);
  } else if (const auto* left = std::get_if<Leave>(&message)) {
    everybody_lives_ = left->everybody_lives;
    leave(left->error);
  }
}

void Agent::welcome(Welcome message) {
  lost_seconds_ = message.lost_seconds;
  ids_ = message.slots;
  if (message.trainer.command.empty()) {
    message.trainer.command = options_.trainer;
    message.trainer.persistent = true;
  }
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    SlotSettings settings{ids_[i], options_.slots[i], message.trainer,
                          slot_environment(options_.slots[i]), options_.open_files};
    runners_.push_back(std::make_unique<SlotRunner>(loop_, std::move(settings), send_, log_));
  }
}

void Agent::leave(const std::string& error) {
  if (leaving_) return;
  leaving_ = true;
  leaving_since_ = Clock::now();
  error_ = error;
  for (auto& each : runners_) each->shut_down();
  tick(leaving_since_);
}

void Agent::tick(Clock::time_point now) {
  if (gone_) return;
  for (auto& each : runners_) each->tick(now);
  const std::chrono::duration<double> silence = now - heard_, quiet = now - sent_;
  if (!leaving_ && lost_seconds_ > 0) {
    if (quiet.count() > std::min(2.0, lost_seconds_ / 10)) {
      send_(AgentHeartbeat{});
      sent_ = now;
    }
    if (silence.count() > lost_seconds_) {
      everybody_lives_ = false;
      lost_coordinator_ = true;
      leave("the coordinator has not been heard of for " +
            std::to_string(static_cast<int>(silence.count())) + " s; taking it for dead");
    }
  }
  if (!leaving_) return;
  if (now - leaving_since_ > kTrainerLeaveGrace)
    for (auto& each : runners_) each->kill_trainer();
  if (std::all_of(runners_.begin(), runners_.end(), [](auto& each) { return each->shut(); })) {
    gone_ = true;
    send_(Goodbye{error_});
  }
}

}  // namespace windrow
