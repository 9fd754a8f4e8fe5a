// One slot: its trainer process, the attempt that runs there and the one queued behind it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/process/child_process.h"
#include "protocol/messages.h"

namespace windrow {

struct SlotSettings {
  SlotId slot;
  protocol::SlotInfo info;
  protocol::TrainerSettings trainer;  // `command` filled in, also for windrow-trainer
  std::vector<std::pair<std::string, std::string>> environment;  // CUDA_VISIBLE_DEVICES, ...
  std::optional<rlim_t>
      open_files;  // the soft limit that the trainer gets; nullopt: this process's
};

class SlotRunner {
 public:
  using Send = std::function<void(protocol::FromAgent)>;
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  SlotRunner(EventLoop& loop, SlotSettings settings, Send send, LogLine log);

  void assign(protocol::Start start);
  void withdraw(TrialId trial, int attempt);
  void stop(bool now);               // no new attempts; see protocol::StopAll
  void tick(Clock::time_point now);  // time limits
  bool idle() const { return !current_ && queue_.empty(); }
  void shut_down();  // closes an idle trainer's stdin, which ends it
  bool shut() const { return !process_; }
  void kill_trainer();

 private:
  struct Ending {
    protocol::FailureKind kind;
    std::string message;
  };
  // The attempt that the trainer works on.
  struct Current {
    protocol::Start start;
    Clock::time_point began, last_message, last_epoch;
    bool started_sent = false;
    bool waits_for_lock = false;  // of an earlier attempt's processes
    int epochs = 0;               // the last one reported
    protocol::Metrics result;     // a process-a-trial trainer's {"result": {...}}
    std::optional<protocol::EarlyStoppingMonitor> early_stopping;
    protocol::Metrics best;  // of the best epoch, with early stopping
    bool stopped_early = false;
    std::optional<Ending> ending;  // why we are ending the process
  };

  void spawn(const std::vector<std::string>& extra_arguments,
             std::vector<std::pair<std::string, std::string>> extra_environment,
             const LockPlace& lock);
  void on_child_exited();
  void on_lock(LockState state, const std::string& detail);
  void begin_next();
  void take_front();
  void tell_start();
  void begin_persistent();
  void begin_process();
  void on_started();
  void on_life();
  void on_line_too_long();
  void on_line(std::string_view line);
  void on_persistent_line(std::string_view line);
  void on_process_line(std::string_view line);
  void on_event(protocol::FromTrainer event);
  bool is_current(TrialId trial, int attempt) const;
  void report_started(protocol::Started started);
  void report_process_epoch(protocol::Epoch epoch);
  void report_finished(protocol::Finished finished);
  void report_failed(protocol::FailureKind kind, const std::string& message, const ChildExit* exit,
                     std::string stderr_tail);
  // The process does not become a trainer: ends it, and fails the trial that waits for it.
  void give_up_start(const std::string& why);
  void fail_front(const std::string& why, const ChildExit* exit, std::string stderr_tail);
  void end_attempt(protocol::FailureKind kind, const std::string& message, int signal);

  GuardPool guards_;
  SlotSettings settings_;
  Send send_;
  LogLine log_;
  std::unique_ptr<ChildProcess> process_;
  bool told_no_locks_ = false;
  bool ready_ = false;
  bool doomed_ = false;  // killed by us; start anew for the next attempt
  Clock::time_point spawned_{};
  std::optional<Current> current_;
  std::deque<protocol::Start> queue_;
  bool stopping_ = false;
  std::optional<Clock::time_point> kill_at_;  // SIGTERM was sent: SIGKILL then
};

}  // namespace windrow
