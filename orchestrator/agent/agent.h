// A rank's agent: its slots and their trainers. Told what to do by the coordinator, over whichever
// transport.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/agent/host.h"
#include "orchestrator/agent/slot_runner.h"

namespace windrow {

struct AgentOptions {
  std::string host;
  std::string study_hash;  // "" where this rank can't see the study file
  std::vector<protocol::SlotInfo> slots;
  std::vector<std::string> faults;  // why this rank can't take part; empty: it can
  protocol::BatchJob job;
  // It joined a run and may leave it: its end, or a signal to it, is its own affair.
  bool guest = false;
  std::int64_t until_ms = 0;  // of a guest: Unix time by which it must have left; 0: no limit
  std::vector<std::string> trainer;  // argv of windrow-trainer, for the shipped tasks
  double welcome_seconds = 60;       // in which the coordinator must have answered the hello
};

class Agent {
 public:
  using Send = std::function<void(protocol::FromAgent)>;

  // `now` may stand still while the process itself does not run.
  Agent(Host& host, AgentOptions options, SlotRunner::Now now, Send send, SlotRunner::LogLine log);

  void say_hello();
  void on_message(protocol::ToAgent message);
  // Time limits; to be called several times a second. `mail_read`: nothing that has arrived waits
  // to be delivered, so that silence is silence.
  void tick(bool mail_read);
  // This rank was signalled: its slots stop at once, without asking rank 0. A guest leaves then.
  void stop(bool at_once, std::optional<double> within_seconds = std::nullopt);

  bool gone() const { return gone_; }  // it has left: every trainer has ended
  // Why it left before its work was done; "" = as it should.
  const std::string& error() const { return error_; }
  bool lost_coordinator() const { return lost_coordinator_; }
  bool may_come_again() const { return lost_coordinator_ || come_again_; }

 private:
  void welcome(protocol::Welcome message);
  void assign(protocol::Assign message);
  void leave(const std::string& error);
  void report(protocol::FromAgent message);
  void close(std::size_t slot);
  void leave_when_closed();
  void say_alive(slot::Time now);
  void mind_coordinator(slot::Time now, bool mail_read);
  void mind_time_limit(slot::Time now);
  std::string program();  // what the trainer's command is made of now, told where it is new
  void tell_overrides(const Variables& environment);
  std::size_t index_of(SlotId slot) const;

  Host& host_;
  AgentOptions options_;
  SlotRunner::Now now_;
  Send send_;
  SlotRunner::LogLine log_;
  Host::Program watch_;
  std::set<std::string> programs_;  // that the coordinator was told of
  std::vector<SlotId> ids_;
  std::vector<std::unique_ptr<SlotRunner>> runners_;
  double lost_seconds_;   // silence of the coordinator that means its death; 0: no limit
  bool shipped_ = false;  // the trainer is windrow-trainer
  std::int64_t until_ms_ = 0;
  slot::Time heard_{}, sent_{};
  bool stopped_ = false;
  bool leaving_ = false;
  std::vector<bool> closed_;  // slots, of a guest that is to leave
  bool gone_ = false;
  bool lost_coordinator_ = false;
  bool come_again_ = false;
  slot::Time leaving_since_{};
  std::string error_;
};

}  // namespace windrow
