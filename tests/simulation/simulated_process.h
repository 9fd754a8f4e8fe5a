// A trainer in the simulated world: a process that keeps checkpoints, speaks the line protocol (or
// prints epochs, a process a trial), obeys signals, and meets with the troubles of its trial.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "orchestrator/process/trainer_process.h"
#include "tests/simulation/machine.h"

namespace windrow::simulation {

class SimulatedProcess : public std::enable_shared_from_this<SimulatedProcess> {
 public:
  using Post = std::function<void(std::function<void()>)>;  // into the loop of the agent's process

  SimulatedProcess(Cluster& cluster, Machine& machine, int slot, const ChildCommand& command,
                   ChildEvents events, Post post);
  void begin();

  // As TrainerProcess has it.
  void write(std::string_view text);
  void close_stdin();
  void signal(int number);
  bool lock(const LockPlace& place);
  void unlock();
  std::optional<ChildExit> exit() const { return told_ ? exit_ : std::nullopt; }

  const Machine& machine() const { return machine_; }
  bool may_flood() const { return state_ == State::training && attempt_->epoch > 0 && !wedged_; }
  void flood(int lines);  // tells its last epoch again and again
  void let_go();          // nobody listens any more; what lives is killed
  bool trains_together() const {
    return state_ == State::training && !attempt_->members.empty() && !attempt_->stuck && !wedged_;
  }
  void break_gang();  // its members can't reach each other any more

 private:
  enum class State { waiting, starting, idle, training, helping, dead, gone };
  using Helper = std::weak_ptr<SimulatedProcess>;
  struct Attempt {
    TrialId trial;
    int attempt = 1;
    nlohmann::json parameters;
    std::int64_t seed = 0;
    std::string folder;
    int committed = 0;
    TrialTruth* truth = nullptr;
    int epoch = 0;  // the last one done
    std::uint64_t state = 0;
    bool stop_asked = false;
    bool stuck = false;  // it does nothing more
    // Of a gang's lead: by their numbers, those who have come, those who are wanted, those who are
    // not any more, and with whom it trains the epoch in progress.
    std::string place;  // HOST:PORT; "" = it takes none
    int widest = 1;
    std::map<int, Helper> here;
    std::vector<int> wanted, released, members;
    int lent_slots = 0;
  };
  // Of a helper of another process's attempt.
  struct Help {
    TrialId trial;
    int attempt = 1;
    int number = 1;
    Helper lead;
    bool in_epoch = false, leaving = false;
  };

  void after(double seconds, void (SimulatedProcess::*step)());
  void exec();
  void say_ready();
  void train(Attempt attempt);
  void begin_epoch();
  void end_epoch();
  void finish();
  void mind_retry();
  void note_failure();
  void does_well();
  bool meets_trouble();  // in the epoch that it trains
  void report(int epoch, int members = 1);
  void stop_training();
  // simulated_gang.cpp
  int open_gang();  // its port
  void set_gang(const protocol::SetGang& gang);
  void settle_gang();
  int end_together();  // how many trained the epoch
  void fail_together();
  void dismiss_gang();
  void help(const protocol::Start& start);
  void come();
  void stay_heard();
  void let_go_of_helper(int number);
  void end_help();   // the lead let it go
  void lose_lead();  // in an epoch
  void leave_gang();
  void leave();
  void die(const ChildExit& exit, double children_seconds = 0);
  void end();
  void line(const std::string& text);
  void tell(std::function<void()> what);
  bool persistent() const { return persistent_; }
  std::string variable(const std::string& name) const;
  std::string name() const;

  Cluster& cluster_;
  Machine& machine_;
  int slot_;
  ChildCommand command_;
  ChildEvents events_;
  Post post_;
  int number_;
  bool persistent_;
  State state_ = State::waiting;
  int step_ = 0;  // steps that were planned before are void
  bool wedged_ = false;
  bool is_ended_ = false;  // by a signal
  bool let_go_ = false;
  bool told_ = false;
  std::optional<Attempt> attempt_;
  std::optional<Help> help_;
  std::optional<ChildExit> exit_;
};

}  // namespace windrow::simulation
