// The coordinator: joins what agents report, what the scheduler decides and what storage records.
//
//   agent message -> scheduler event -> commands -> messages to agents, records to storage
//
// It does no waiting and knows no transport; the loop in orchestrator/session/ feeds it.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/coordinator/study_progress.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/scheduler/state.h"

namespace windrow {

struct CoordinatorOptions {
  int agents = 1;           // ranks; each says hello
  std::string checkpoints;  // folder of all trials' checkpoint folders; "" = none are kept
  std::string data_dir;
  double lost_seconds = 30;  // an agent silent for so long is dead
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
  std::optional<double> seconds_left;  // estimate; nullopt while nothing is known
  std::map<std::string, std::string> waiting_stages, short_stages;  // with the reason
  std::vector<SlotView> slots;
  bool stopping = false;
};

class Coordinator {
 public:
  using Send = std::function<void(AgentId, protocol::ToAgent)>;
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  Coordinator(const sweeps::Study& study, storage::Store& store, CoordinatorOptions options,
              Send send, LogLine log);

  void on_message(AgentId from, protocol::FromAgent message);
  void tick(Clock::time_point now);  // liveness, durable results; several times a second
  void stop(bool now, const std::string& reason);

  bool over() const { return phase_ == Phase::left; }  // every live agent has said goodbye
  bool lost_an_agent() const { return lost_an_agent_; }
  RunEnd end() const;
  const std::string& refusal() const { return refusal_; }
  RunView view() const;

 private:
  enum class Phase { gathering, running, leaving, left };
  struct AgentRecord {
    bool joined = false, alive = true, gone = false;
    std::string host;
    std::vector<SlotId> slots;
    Clock::time_point heard;
  };
  struct SlotInfo {
    AgentId agent;
    std::string device;
    protocol::Json versions = {{"windrow", WINDROW_VERSION}};  // and what its trainer states
    std::optional<TrialId> running;
    int epoch = 0;
  };
  struct Live {  // an attempt that was assigned and is not over
    SlotId slot;
    int attempt = 1;
    bool began = false;
    bool keeps_checkpoints = false;
  };
  struct Forgotten {  // checkpoints to remove once record `number` is durable
    std::uint64_t number;
    AgentId agent;
    TrialId trial;
  };

  void on_hello(AgentId from, protocol::Hello hello);
  void on_started(protocol::AttemptStarted message);
  void on_epoch(protocol::AttemptEpoch message);
  void on_finished(protocol::AttemptFinished message);
  void on_failed(protocol::AttemptFailed message);
  void on_goodbye(AgentId from, const std::string& reason);
  void begin_when_gathered(Clock::time_point now);
  void lose_agent(AgentId agent, const std::string& why);
  void add_new_trials();
  void trial_over(TrialId trial, storage::TrialState state);
  void carry_out();  // the scheduler's commands, in commands_
  void assign(const scheduler::AssignTrial& command);
  protocol::Start make_start(TrialId trial, int attempt);
  std::string checkpoint_dir(TrialId trial) const;
  Live* live(TrialId trial, int attempt, SlotId slot);
  void refuse(const std::string& why);
  void leave_when_done();
  void check_trainer_starts(const protocol::AttemptFailed& message);
  void send_forgets(std::uint64_t committed);
  std::string name_trial(TrialId trial) const;

  const sweeps::Study& study_;
  storage::Store& store_;
  CoordinatorOptions options_;
  Send send_;
  LogLine log_;
  StudyProgress progress_;
  scheduler::State scheduler_;
  scheduler::Commands commands_;
  Phase phase_ = Phase::gathering;
  Clock::time_point began_ = Clock::now(), left_since_, alive_sent_;
  std::vector<AgentRecord> agents_;  // by rank
  std::vector<SlotInfo> slots_;      // by slot id
  std::unordered_map<TrialId, Live> live_;
  std::deque<Forgotten> forgotten_;
  std::vector<std::string> varying_;  // parameters that name a trial to people
  std::int64_t epochs_done_ = 0;
  int failed_starts_ = 0;  // attempts that failed before any attempt ever began
  bool anything_began_ = false;
  bool stopping_ = false;
  bool lost_an_agent_ = false;
  std::string refusal_;
};

}  // namespace windrow
