#include "tests/simulation/simulated_process.h"

#include <csignal>

#include "protocol/lines.h"

namespace windrow::simulation {

using namespace protocol;

SimulatedProcess::SimulatedProcess(Cluster& cluster, Machine& machine, int slot,
                                   const ChildCommand& command, ChildEvents events, Post post)
    : cluster_(cluster),
      machine_(machine),
      slot_(slot),
      command_(command),
      events_(std::move(events)),
      post_(std::move(post)),
      number_(++cluster.processes),
      persistent_(variable("WINDROW_TRIAL").empty()) {}

std::string SimulatedProcess::name() const {
  std::string text = "process " + std::to_string(number_) + " on " + machine_.name;
  if (attempt_)
    text += " (trial " + std::to_string(attempt_->trial.value) + " attempt " +
            std::to_string(attempt_->attempt) + ")";
  if (help_) text += " (helps trial " + std::to_string(help_->trial.value) + ")";
  return text;
}

std::string SimulatedProcess::variable(const std::string& name) const {
  for (const auto& [key, value] : command_.environment)
    if (key == name) return value;
  return "";
}

void SimulatedProcess::after(double seconds, void (SimulatedProcess::*step)()) {
  cluster_.world.after(seconds, [self = shared_from_this(), step, number = ++step_] {
    if (self->step_ == number) (self.get()->*step)();
  });
}

void SimulatedProcess::tell(std::function<void()> what) {
  if (let_go_) return;
  post_([self = shared_from_this(), what = std::move(what)] {
    if (!self->let_go_) what();
  });
}

void SimulatedProcess::line(const std::string& text) {
  tell([this, text] {
    if (events_.on_output) events_.on_output();
    if (events_.on_stdout) events_.on_stdout(text);
  });
}

// ---- its life

void SimulatedProcess::begin() {
  cluster_.living.push_back(weak_from_this());
  if (!command_.lock.file.empty() && !lock(command_.lock)) {
    tell([this] {
      if (events_.on_lock) events_.on_lock(LockState::waiting, "another process");
    });
    return;
  }
  if (command_.lock.file.empty())
    after(cluster_.world.random().between(0.0, 0.1), &SimulatedProcess::exec);
}

void SimulatedProcess::exec() {
  state_ = State::starting;
  cluster_.world.say(name(), "runs");
  tell([this] {
    if (events_.on_started) events_.on_started();
  });
  if (persistent())
    return after(cluster_.world.random().between(0.05, 1.0), &SimulatedProcess::say_ready);
  train({.trial = TrialId{std::stoll(variable("WINDROW_TRIAL"))},
         .attempt = std::stoi(variable("WINDROW_ATTEMPT")),
         .parameters = nlohmann::json::parse(variable("WINDROW_PARAMETERS")),
         .seed = std::stoll(variable("WINDROW_SEED")),
         .folder = variable("WINDROW_CHECKPOINT_DIR"),
         .committed = std::stoi(variable("WINDROW_RESUME"))});
}

void SimulatedProcess::say_ready() {
  state_ = State::idle;
  line(to_line(FromTrainer{Ready{.versions = {{"train", "1"}}, .device = "cpu"}}));
}

bool SimulatedProcess::lock(const LockPlace& place) {
  const bool at_once = state_ != State::waiting;
  const auto in_call = std::make_shared<bool>(true);
  const bool held = cluster_.folder.lock(
      place.file, place.record, number_, [self = shared_from_this(), at_once, in_call] {
        if (self->state_ == State::waiting)
          self->after(self->cluster_.world.random().between(0.0, 0.1), &SimulatedProcess::exec);
        if (at_once && *in_call) return;
        self->tell([&process = *self] {
          if (process.events_.on_lock) process.events_.on_lock(LockState::held, "");
        });
      });
  *in_call = false;
  if (!held) cluster_.world.say(name(), "waits for the processes of another attempt");
  if (!held && at_once)
    tell([this] {
      if (events_.on_lock) events_.on_lock(LockState::waiting, "another process");
    });
  return held;
}

void SimulatedProcess::unlock() {
  if (state_ != State::dead && state_ != State::gone) cluster_.folder.unlock(number_);
}

void SimulatedProcess::stop_training() {
  if (!attempt_) return;
  dismiss_gang();
  const auto found = cluster_.training.find(attempt_->truth->key);
  if (found != cluster_.training.end() && found->second == number_) cluster_.training.erase(found);
  attempt_.reset();
}

// It is dead; what it started may live on, and has all that it had.
void SimulatedProcess::die(const ChildExit& exit, double children_seconds) {
  if (state_ == State::dead || state_ == State::gone) return;
  cluster_.world.say(name(), "ends with " + exit.describe());
  state_ = State::dead;
  leave_gang();
  exit_ = exit;
  after(children_seconds, &SimulatedProcess::end);
}

void SimulatedProcess::end() {
  state_ = State::gone;
  cluster_.world.say(name(), "is gone");
  stop_training();
  cluster_.folder.unlock(number_);
  tell([this] {
    if (events_.on_stdout_closed) events_.on_stdout_closed();
    told_ = true;
    events_.on_ended();
  });
}

void SimulatedProcess::signal(int number) {
  if (state_ == State::dead || state_ == State::gone || wedged_) return;
  cluster_.world.say(name(), "gets signal " + std::to_string(number));
  is_ended_ = true;
  Random& random = cluster_.world.random();
  if (number == SIGKILL && std::exchange(machine_.wedged, false)) {
    wedged_ = true;
    cluster_.world.fault("a process outlives SIGKILL", name());
    ++step_;
    cluster_.world.after(random.between(5.0, 60.0), [self = shared_from_this()] {
      self->wedged_ = false;
      self->die({.signal = SIGKILL});
    });
  } else if (number == SIGKILL) {
    die({.signal = SIGKILL}, random.between(0.0, 0.01));
  } else if (random.chance(0.15)) {
    cluster_.world.fault("a trainer is deaf to SIGTERM", name());
    if (random.chance(0.5)) ++step_;  // and does nothing more
  } else {
    cluster_.world.after(random.between(0.0, 1.0),
                         [self = shared_from_this(), number] { self->die({.signal = number}); });
  }
}

void SimulatedProcess::let_go() {
  if (std::exchange(let_go_, true)) return;
  signal(SIGKILL);
}

void SimulatedProcess::close_stdin() {
  if (persistent() && state_ != State::dead && state_ != State::gone && !wedged_)
    after(cluster_.world.random().between(0.0, 0.5), &SimulatedProcess::leave);
}

void SimulatedProcess::leave() {
  die({.code = 0});
}

// ---- what it is told

void SimulatedProcess::write(std::string_view text) {
  if (state_ == State::dead || state_ == State::gone || wedged_) return;
  const ToTrainer message = parse_to_trainer(text.substr(0, text.find('\n')));
  const auto* start = std::get_if<Start>(&message);
  if (start && start->helping)
    help(*start);
  else if (start)
    train({.trial = start->trial,
           .attempt = start->attempt,
           .parameters = start->parameters,
           .seed = start->seed,
           .folder = start->checkpoint_dir,
           .committed = start->committed_epochs,
           .widest = start->widest_gang});
  else if (const auto* gang = std::get_if<SetGang>(&message))
    set_gang(*gang);
  else if (std::holds_alternative<Stop>(message) && attempt_)
    attempt_->stop_asked = true;
  else if (std::holds_alternative<Stop>(message) && help_)
    help_->leaving = true;
}

// ---- training

static int epochs_of(const nlohmann::json& parameters) {
  return parameters.at("epochs").get<int>();
}

void SimulatedProcess::train(Attempt attempt) {
  World& world = cluster_.world;
  attempt_ = std::move(attempt);
  state_ = State::training;
  Experiment& experiment = *cluster_.experiments.at(Experiment::number_of(attempt_->parameters));
  attempt_->truth = &experiment.trial(attempt_->parameters, attempt_->seed);
  const auto [other, alone] = cluster_.training.emplace(attempt_->truth->key, number_);
  if (!alone)
    throw BrokenRule(name() + " trains a trial that process " + std::to_string(other->second) +
                     " trains");
  attempt_->state = attempt_->truth->state(0);
  for (const Checkpoint& checkpoint : cluster_.folder.checkpoints(attempt_->folder)) {
    if (checkpoint.owner != attempt_->truth->key)
      throw BrokenRule(name() + " finds another trial's checkpoint in " + attempt_->folder);
    if (checkpoint.epoch > attempt_->epoch) {
      attempt_->epoch = checkpoint.epoch;
      attempt_->state = checkpoint.state;
    }
  }
  world.say(name(), "begins after epoch " + std::to_string(attempt_->epoch) + ", " +
                        std::to_string(attempt_->committed) + " are recorded");
  mind_retry();
  if (world.now() < machine_.broken_until &&
      (machine_.broken_slot < 0 || machine_.broken_slot == slot_) &&
      !attempt_->truth->had_trouble) {
    attempt_->truth->troubles.clear();
    world.fault("a broken machine fails a trial", name());
    note_failure();
    return die({.code = 1}, world.random().between(0.0, 0.1));
  }
  if (persistent()) {
    const int port = open_gang();
    line(to_line(FromTrainer{Started{
        .trial = attempt_->trial,
        .attempt = attempt_->attempt,
        .resumed_from_epoch = attempt_->epoch,
        .info = {{"size", 7}},
        .gang_port = port,
        .takes_threads = attempt_->parameters.contains("shards") && attempt_->widest == 1}}));
  }
  const int resumed = attempt_->epoch;
  for (int epoch = attempt_->committed + 1; epoch <= resumed; ++epoch) report(epoch);
  // Of a process a trial nobody can tell these from epochs that were trained here.
  if (!persistent() && resumed > attempt_->committed) does_well();
  begin_epoch();
}

// What befalls it while it is ended is nobody's failure.
void SimulatedProcess::note_failure() {
  if (is_ended_) return;
  cluster_.failed[attempt_->truth->key][machine_.name] = {cluster_.world.now(), attempt_->attempt};
}

// Those where it failed before are to blame for that.
void SimulatedProcess::does_well() {
  std::erase_if(cluster_.failed[attempt_->truth->key],
                [&](const auto& one) { return one.first != machine_.name; });
}

// A machine that had joined when the trial failed last, and on which it never did.
void SimulatedProcess::mind_retry() {
  auto& failed = cluster_.failed[attempt_->truth->key];
  const auto here = failed.find(machine_.name);
  if (!cluster_.all_stay || cluster_.drained || here == failed.end()) return;
  if (here->second.attempt == attempt_->attempt) {  // nobody was told: the slot begins it again
    failed.erase(here);
    return;
  }
  for (const auto& [other, since] : cluster_.joined)
    if (other != cluster_.breakable && !failed.contains(other) &&
        since + std::chrono::seconds(5) < here->second.at)
      throw BrokenRule(name() + " trains a trial where it failed, and there is " + other);
}

void SimulatedProcess::begin_epoch() {
  const TrialTruth& truth = *attempt_->truth;
  if (attempt_->epoch >= epochs_of(attempt_->parameters))
    return after(0.001, &SimulatedProcess::finish);
  settle_gang();
  const double members = 1.0 + static_cast<double>(attempt_->members.size()) + attempt_->lent_slots;
  after(truth.epoch_seconds / members * cluster_.world.random().between(0.8, 1.2),
        &SimulatedProcess::end_epoch);
}

bool SimulatedProcess::meets_trouble() {
  World& world = cluster_.world;
  TrialTruth& truth = *attempt_->truth;
  const int epoch = attempt_->epoch + 1;
  if (truth.fails && truth.fails_in == epoch) {
    world.say(name(), "fails of itself");
    note_failure();
    if (persistent() && *truth.fails != FailureKind::crash) {
      line(to_line(FromTrainer{
          Failed{attempt_->trial, attempt_->attempt,
                 *truth.fails == FailureKind::nan ? TrainerFailure::nan : TrainerFailure::oom,
                 "of itself"}}));
      stop_training();
      state_ = State::idle;
    } else {
      die({.code = 3});
    }
    return true;
  }
  for (auto trouble = truth.troubles.begin(); trouble != truth.troubles.end(); ++trouble) {
    if (trouble->epoch != epoch) continue;
    const Trouble::Kind kind = trouble->kind;
    truth.troubles.erase(trouble);
    truth.had_trouble = true;
    if (kind == Trouble::Kind::garbage && !persistent()) return false;
    world.fault(to_string(kind), name());
    note_failure();
    attempt_->stuck = true;
    if (kind == Trouble::Kind::crash) {
      die({.signal = SIGSEGV});
    } else if (kind == Trouble::Kind::garbage) {
      line("{\"event\": \"epoch\", \"trial\": \"none\"}");
    } else if (kind == Trouble::Kind::children) {
      die({.code = 1}, world.random().between(0.5, cluster_.all_stay ? 5.0 : 20.0));
    } else if (kind == Trouble::Kind::damage) {
      auto& checkpoints = cluster_.folder.checkpoints(attempt_->folder);
      if (!checkpoints.empty()) checkpoints.pop_back();
      die({.code = 1});
    }
    return true;
  }
  return false;
}

void SimulatedProcess::end_epoch() {
  if (meets_trouble()) return;
  const int members = end_together();
  ++attempt_->epoch;
  does_well();
  attempt_->state = TrialTruth::next_state(attempt_->state, attempt_->epoch);
  cluster_.folder.checkpoints(attempt_->folder)
      .push_back({attempt_->truth->key, attempt_->epoch, attempt_->state});
  cluster_.world.say(name(), "has done epoch " + std::to_string(attempt_->epoch));
  report(attempt_->epoch, members);
  if (attempt_->stop_asked && persistent()) {
    line(to_line(FromTrainer{Stopped{attempt_->trial, attempt_->attempt}}));
    stop_training();
    state_ = State::idle;
    return;
  }
  begin_epoch();
}

// As it was when it was trained: a checkpoint carries its epochs' messages.
void SimulatedProcess::report(int epoch, int members) {
  const TrialTruth& truth = *attempt_->truth;
  const double state =
      TrialTruth::reported(epoch == attempt_->epoch ? attempt_->state : truth.state(epoch));
  if (persistent()) {
    line(to_line(FromTrainer{Epoch{.trial = attempt_->trial,
                                   .attempt = attempt_->attempt,
                                   .epoch = epoch,
                                   .metrics = {{"loss", truth.loss(epoch)}, {"weights", state}},
                                   .wall_seconds = truth.epoch_seconds,
                                   .checkpoint = "c" + std::to_string(epoch),
                                   .members = members}}));
  } else {
    line(nlohmann::json{{"epoch", epoch}, {"loss", truth.loss(epoch)}, {"weights", state}}.dump());
  }
}

void SimulatedProcess::flood(int lines) {
  cluster_.world.say(name(), "tells its epoch " + std::to_string(lines) + " times");
  for (int i = 0; i < lines; ++i) report(attempt_->epoch);
}

void SimulatedProcess::finish() {
  cluster_.world.say(name(), "finishes");
  if (!persistent()) return die({.code = 0});
  line(to_line(FromTrainer{Finished{.trial = attempt_->trial,
                                    .attempt = attempt_->attempt,
                                    .epochs = epochs_of(attempt_->parameters)}}));
  stop_training();
  state_ = State::idle;
}

}  // namespace windrow::simulation
