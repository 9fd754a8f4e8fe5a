// Carries out what a slot's state machine decides: starts its trainer, writes to it, reads what it
// says, ends it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/agent/host.h"
#include "orchestrator/agent/slot.h"
#include "orchestrator/process/process_usage.h"

namespace windrow {

struct SlotSettings {
  slot::Settings machine;  // `trainer.command` filled in, also for windrow-trainer
  Variables environment;   // CUDA_VISIBLE_DEVICES, ...
  std::string where = "";  // the slot's host and device, for the trials' logs
  // Asked when a trainer is started: the program's hash (protocol::Program); "" = not known.
  std::function<std::string()> program = nullptr;
};

class SlotRunner {
 public:
  using Send = std::function<void(protocol::FromAgent)>;
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  using Now = std::function<slot::Time()>;

  SlotRunner(Host& host, SlotSettings settings, Now now, Send send, LogLine log);

  void assign(protocol::Start start);
  void withdraw(TrialId trial, int attempt);
  void cancel(TrialId trial, int attempt);
  void set_gang(const protocol::SetGang& gang);
  void stop(bool at_once, std::optional<double> within_seconds = std::nullopt);
  void tick();  // time limits
  void set_until(std::optional<slot::Time> until) { state_.settings.until = until; }
  void shut_down();  // ends the trainer; quiet() tells when
  void abandon();    // and doesn't wait for it
  bool idle() const { return slot::is_idle(state_); }
  bool quiet() const { return slot::is_quiet(state_); }

 private:
  // Runs an event of the state machine and carries out what it asks for.
  template <class Event>
  void handle(Event event);
  void carry_out(slot::Action& action);
  void spawn(const std::optional<protocol::Start>& attempt);
  void on_lock(LockState lock, const std::string& detail);
  void on_started();
  std::optional<protocol::Usage> usage();  // of the attempt, now at its end
  void on_ended();
  void on_line_too_long();
  void on_line(std::string_view line);
  void on_printed_line(std::string_view line);
  void on_text(std::string_view line);  // that is no message

  Host& host_;
  SlotSettings settings_;
  Now now_;
  Send send_;
  LogLine log_;
  slot::State state_;
  std::unique_ptr<TrainerStarter> starter_;
  std::unique_ptr<TrialLog> trial_log_;
  std::string program_;  // of the process
  std::unique_ptr<TrainerProcess> process_;
  std::optional<UsageMeter> meter_;              // of a process that takes several trials
  std::optional<protocol::Usage> usage_at_end_;  // while the end of the process is told
  bool found_checkpoints_ = false;  // in the folder of the attempt that was spawned last
  bool told_no_locks_ = false;
  bool carrying_out_ = false;
  slot::Actions actions_;
};

}  // namespace windrow
