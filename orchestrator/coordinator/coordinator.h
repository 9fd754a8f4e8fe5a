// The coordinator: joins what agents report, what the scheduler decides and what storage records.
//
//   agent message -> scheduler event -> commands -> messages to agents, records to storage
//
// It does no waiting, knows no transport and has no clock but what tick() tells it; the loop in
// orchestrator/session/ feeds it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/coordinator/kept_trials.h"
#include "orchestrator/coordinator/study_progress.h"
#include "orchestrator/coordinator/time_account.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/scheduler/seed_waves.h"
#include "orchestrator/scheduler/state.h"

namespace windrow {

struct CoordinatorOptions {
  int agents = 1;                   // ranks; each says hello
  bool serves = false;              // guests may join, who are numbered after them, and leave
  std::string checkpoints;          // folder of all trials' checkpoint folders; "" = none are kept
  std::vector<FinishedTrial> kept;  // that have theirs from earlier runs, as they finished
  std::string data_dir;
  double lost_seconds = 30;        // an agent silent for so long is dead
  double stop_within_seconds = 0;  // see protocol::Welcome
  std::optional<std::chrono::system_clock::time_point> until;  // when the run must be over
  scheduler::Order order = scheduler::Order::longest;
  scheduler::GangPolicy gangs;     // of the shipped tasks; other programs lead none
  bool first_epochs_only = false;  // a trial is cancelled after its first epoch
  int stop_after_failures = 0;     // trials that failed for good; 0: never
  double gang_deadline = 60;       // see protocol::Start
  protocol::BatchJob job;          // this process's
  // How the study is expanded: beside the loop, or (deferred) by tick(), so that runs are alike.
  std::launch expansion = std::launch::async;
  std::function<std::chrono::system_clock::time_point()> time_of_day =
      std::chrono::system_clock::now;
};

// How the run ended, or that it can't go on.
enum class RunEnd { all_done, some_failed, interrupted, refused };

// What progress displays show; see progress.h.
struct SlotView {
  std::string host, device;
  std::optional<TrialId> trial;
  std::string what;  // the trial's varying parameters
  int epoch = 0, epochs = 0;
};
struct RunView {
  std::string study;
  int trials = 0, finished = 0, failed = 0, running = 0;
  std::int64_t epochs_done = 0;        // in this run
  double trials_done = 0;              // those that run count by their epochs
  std::optional<double> seconds_left;  // estimate; nullopt while nothing is known
  std::map<std::string, std::string> waiting_stages, short_stages;  // with the reason
  std::vector<SlotView> slots;
  bool stopping = false;
  TimeUse time;                    // of the slots, so far
  double lower_bound_seconds = 0;  // see TimeAccount
};

class Coordinator {
 public:
  using Send = std::function<void(AgentId, protocol::ToAgent)>;
  using Lose = std::function<void(AgentId)>;  // it is dead: expect nothing of it any more
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  Coordinator(const sweeps::Study& study, storage::Store& store, CoordinatorOptions options,
              Send send, Lose lose, LogLine log);

  void on_message(AgentId from, protocol::FromAgent message);
  // `mail_read`: nothing that has arrived waits to be delivered, so that silence is silence.
  void tick(Clock::time_point now,
            bool mail_read);  // liveness, durable results; several times a second
  void stop(bool now, const std::string& reason);
  // By `windrow stop`: likewise, and for good.
  void stop_for(const std::string& who, bool now);

  // Ends these trials of the study, for `who`; they fail as `cancelled`. Returns how many were
  // still to be run or running: of the others nothing changes.
  int cancel(const std::vector<TrialId>& trials, const std::string& who);

  // Why the run was stopped or has an end with work left, beyond a request; "" = nothing to say.
  const std::string& stop_reason() const { return stop_reason_; }

  // Since the last call, a trainer was started of a program that the run had not seen before and
  // that isn't its first one.
  bool take_program_changed() { return std::exchange(program_changed_, false); }

  bool over() const { return phase_ == Phase::left; }  // every live agent has said goodbye
  RunEnd end() const;
  const std::string& refusal() const { return refusal_; }
  bool out_of_time() const { return out_of_time_; }  // why it stops; it goes on later
  int failed_here() const { return failed_here_; }   // trials, for good, in this run
  const std::string& last_failure() const { return last_failure_; }  // in words; "" = none yet
  RunView view() const;

 private:
  enum class Phase { gathering, running, saving, leaving, left };
  struct AgentRecord {
    bool joined = false, alive = true, gone = false;
    std::string host;
    std::vector<SlotId> slots;
    Clock::time_point heard;
  };
  struct SlotInfo {
    AgentId agent;
    std::string device;
    int threads = 1;
    protocol::Json versions = {{"windrow", WINDROW_VERSION}};  // and what its trainer states
    std::optional<TrialId> running;
    int epoch = 0;                   // shown: of the trial
    int reported = 0;                // the last one of the running attempt
    bool keeps_checkpoints = false;  // the running attempt does
    std::optional<double> compared;  // its last value of the metric by which cells are compared
    int gang_port = 0;               // where helpers find the running attempt's store; 0: nowhere
    std::optional<TrialId> helps;
    std::vector<SlotId> lent;  // slots of which the running attempt has the threads
  };
  struct Forgotten {  // checkpoints to remove once record `number` is durable
    std::uint64_t number;
    AgentId agent;
    TrialId trial;
  };

  void on_hello(AgentId from, protocol::Hello hello);
  void on_program(AgentId from, const protocol::Program& program);
  void on_started(protocol::AttemptStarted message);
  void on_epoch(protocol::AttemptEpoch message);
  void on_finished(protocol::AttemptFinished message);
  void on_failed(protocol::AttemptFailed message);
  void on_goodbye(AgentId from, const std::string& reason);
  void begin_when_gathered();
  void lose_agent(AgentId agent, const std::string& why);
  void drop_agent(AgentId agent, const std::string& why);  // its attempts and slots
  void add_new_trials(const std::vector<storage::StoredTrial>& trials);
  void settle_checkpoints(TrialId trial, AgentId agent, std::optional<double> value,
                          std::uint64_t number);
  void trial_over(TrialId trial, storage::TrialState state,
                  std::optional<protocol::FailureKind> failure = std::nullopt);
  void on_slot_lost(const protocol::SlotLost& message);
  void on_helper_over(SlotId slot, TrialId trial, int attempt,
                      const protocol::AttemptFailed* failed = nullptr);
  void lend(const scheduler::LendSlot& command);
  void end_attempt(SlotId slot, TimeAccount::End how);  // its time
  std::string crowded(const protocol::AttemptFailed& message);
  bool shares_its_gpu(SlotId slot);
  int slots_beside(SlotId slot);
  void set_helpers(const scheduler::SetHelpers& command);
  double seconds() const { return std::chrono::duration<double>(now_.time_since_epoch()).count(); }
  int widest_gang(TrialId trial);
  void on_warning(const protocol::AttemptWarning& message);
  void mind_time_limit();
  void mind_slow_start(Clock::time_point now);
  void mind_store(Clock::time_point now);
  void on_run_stopped(const scheduler::StopRun& stopped);
  void carry_out();  // the scheduler's commands, in commands_
  void carry_out(const scheduler::Command& command);
  void assign(const scheduler::AssignTrial& command);
  void fail(const scheduler::TrialFailed& command);
  protocol::Start make_start(TrialId trial, int attempt);
  std::string checkpoint_dir(TrialId trial) const;
  // Whether the slot has this attempt; a message about any other is stale.
  scheduler::Held held(SlotId slot, TrialId trial, int attempt) const;
  AgentRecord& agent_of(SlotId slot);
  SlotInfo& slot(SlotId id) { return slots_[static_cast<std::size_t>(id.value)]; }
  void refuse(const std::string& why);
  void leave_when_done();
  void leave_when_saved();
  void mind_expansion();
  void mind_time(Clock::time_point now, bool mail_read);
  void send_forgets(std::uint64_t committed);
  std::string name_trial(TrialId trial) const;
  bool is_guest(AgentId agent) const { return agent.value >= options_.agents; }
  std::string name_agent(AgentId agent) const;  // "rank 2 on n1", "worker 7 on n3"
  void turn_away(AgentId agent, const std::string& why);

  const sweeps::Study& study_;
  storage::Store& store_;
  CoordinatorOptions options_;
  Send send_;
  Lose lose_;
  LogLine log_;
  StudyProgress progress_;
  scheduler::SeedWaves waves_;
  TimeAccount time_;
  scheduler::State scheduler_;
  scheduler::Commands commands_;
  Phase phase_ = Phase::gathering;
  std::optional<Clock::time_point> began_;  // the first tick
  Clock::time_point now_{}, left_since_{}, alive_sent_{};
  std::vector<AgentRecord> agents_;                   // by rank
  std::vector<SlotInfo> slots_;                       // by slot id
  std::multimap<Clock::time_point, SlotId> resting_;  // until
  KeptTrials kept_;
  std::deque<Forgotten> forgotten_;
  std::map<TrialId, std::string> cancelled_by_;
  std::map<TrialId, int> crowded_out_;        // how often its host's memory was to blame
  std::optional<protocol::Program> program_;  // the first one
  std::set<std::string> programs_;            // hashes of all
  bool program_changed_ = false;
  int failed_here_ = 0;  // trials, for good, in this run
  std::int64_t epochs_done_ = 0;
  std::uint64_t saved_by_ = 0;  // the record after which nothing is left to save
  bool trials_known_ = false;   // the first expansion is done
  std::string last_failure_;    // with the end of what its trainer wrote
  std::string last_failed_host_;
  bool stopping_ = false;
  bool out_of_time_ = false;
  bool told_locked_out_ = false;
  std::optional<Clock::time_point> first_assigned_;
  bool trainer_ready_ = false, told_slow_start_ = false;
  std::string refusal_, stop_reason_;
};

}  // namespace windrow
