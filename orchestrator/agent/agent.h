// A rank's agent: its slots and their trainers. Told what to do by the coordinator, over whichever
// transport.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/agent/slot_runner.h"

namespace windrow {

struct AgentOptions {
  std::string host;
  std::string study_hash;  // "" where this rank can't see the study file
  std::vector<protocol::SlotInfo> slots;
  std::vector<std::string> trainer;       // argv of windrow-trainer, for the shipped tasks
  double welcome_seconds = 60;            // in which the coordinator must have answered the hello
  std::optional<rlim_t> open_files = {};  // SlotSettings::open_files
};

class Agent {
 public:
  using Send = std::function<void(protocol::FromAgent)>;

  Agent(EventLoop& loop, AgentOptions options, Send send, SlotRunner::LogLine log);

  void say_hello();
  void on_message(protocol::ToAgent message);
  void tick(Clock::time_point now);    // time limits; to be called several times a second
  bool gone() const { return gone_; }  // it has left: every trainer has ended
  bool everybody_lives() const { return everybody_lives_; }
  // Why it left before its work was done; "" = as it should.
  const std::string& error() const { return error_; }
  bool lost_coordinator() const { return lost_coordinator_; }

 private:
  void welcome(protocol::Welcome message);
  void leave(const std::string& error);
  std::size_t index_of(SlotId slot) const;

  EventLoop& loop_;
  AgentOptions options_;
  Send send_;
  SlotRunner::LogLine log_;
  std::vector<SlotId> ids_;
  std::vector<std::unique_ptr<SlotRunner>> runners_;
  double lost_seconds_;  // silence of the coordinator that means its death; 0: no limit
  Clock::time_point heard_, sent_;
  bool leaving_ = false;
  bool gone_ = false;
  bool lost_coordinator_ = false;
  bool everybody_lives_ = true;
  Clock::time_point leaving_since_;
  std::string error_;
};

}  // namespace windrow
