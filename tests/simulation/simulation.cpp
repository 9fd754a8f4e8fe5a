#include "tests/simulation/simulation.h"

#include "tests/simulation/faults.h"
#include "tests/simulation/scene.h"

namespace windrow::simulation {
namespace {

constexpr const char* kTimeIsUp = "the time is up";
constexpr const char* kTakenBack = "a trial is taken back";
constexpr const char* kEdited = "the study is edited";
constexpr double kPatience = 3 * 3600;  // simulated seconds without faults: the end is near

class Simulation {
 public:
  Simulation(std::uint64_t seed, World::Tell tell) : scene_(seed, std::move(tell)) {
    plan_faults();
    plan_machines();
    const int studies = random_.chance(0.3) ? 2 : 1;
    for (int number = 1; number <= studies; ++number) plan_study(number);
  }

  Outcome run() {
    Outcome outcome;
    scene_.world.after(random_.between(0.5, 10.0), [this] { next_fault(); });
    while (SimulatedStudy* study = next_study()) {
      ++outcome.sessions;
      run_session(*study);
      if (random_.chance(0.1)) take_back_some_trial(*study);
      if (random_.chance(0.15)) edit(*study);
      if (scene_.world.seconds() > calm_after_ + kPatience)
        throw BrokenRule("the end is not reached after " + std::to_string(outcome.sessions) +
                         " sessions; the last one said: " + last_words_);
      wait(random_.between(0.1, 5.0));
    }
    for (const SimulatedStudy& study : scene_.studies) {
      outcome.trials += static_cast<int>(study.experiment->size());
      outcome.epochs += study.rules->epochs();
    }
    outcome.faults = scene_.world.faults();
    outcome.seconds = scene_.world.seconds();
    return outcome;
  }

 private:
  // ---- the world

  void plan_faults() {
    calm_after_ = random_.between(20.0, 200.0);
    pace_ = random_.between(2.0, 20.0);
    const bool may_break = random_.chance(0.3);
    scene_.cluster.all_stay = may_break;
    for (const FaultKind& kind : session_faults())
      if (may_break ? kind.breaks || (!kind.hides_the_broken && random_.chance(0.3))
                    : !kind.breaks && random_.chance(0.3))
        enabled_.push_back(kind);
  }

  void plan_machines() {
    const int count = random_.between(1, 4);
    for (int i = 0; i < count; ++i)
      scene_.machines.push_back(
          std::make_unique<Machine>(Machine{.name = "n" + std::to_string(i)}));
    scene_.breakable = static_cast<std::size_t>(random_.below(count));
    scene_.cluster.breakable = scene_.machines[scene_.breakable]->name;
    scene_.vfs.skip_syncs(true);
    scene_.vfs.refuse_shared_memory(random_.chance(0.4));
  }

  void plan_study(int number) {
    const bool gangs = random_.chance(0.3);
    const ExperimentWishes wishes{.number = number,
                                  .persistent = gangs || random_.chance(0.6),
                                  .gangs = gangs,
                                  .stages = !gangs && random_.chance(0.25),
                                  .troubles = random_.chance(0.6),
                                  .failing_trials = random_.chance(0.4),
                                  .early_stopping = !gangs && random_.chance(0.3),
                                  .keeps_checkpoints = random_.chance(0.3)};
    SimulatedStudy study;
    study.experiment = std::make_unique<Experiment>(wishes, random_);
    study.settings = {
        .database = scene_.folder.path() / ("w" + std::to_string(number) + ".db"),
        .checkpoints = "/checkpoints",
        .ranks = static_cast<int>(scene_.machines.size()),
        .slots = random_.between(1, 4),
        .lost_seconds = random_.between(3.0, 10.0),
        .gangs = {.automatic = random_.chance(0.5), .members = random_.between(1, 4)}};
    study.rules = std::make_unique<Rules>(study.settings.database, study.settings.checkpoints,
                                          *study.experiment, scene_.cluster.folder);
    study.serves = random_.chance(0.3) && !scene_.cluster.all_stay;
    study.settings.ranks_work = !study.serves || random_.chance(0.6);
    scene_.cluster.experiments[std::to_string(number)] = study.experiment.get();
    scene_.world.say("study", std::to_string(number) + ": " +
                                  std::to_string(study.experiment->size()) + " trials, " +
                                  std::to_string(study.settings.ranks) + " ranks of " +
                                  std::to_string(study.settings.slots) + " slots" +
                                  (gangs               ? ", gangs"
                                   : wishes.persistent ? ""
                                                       : ", a process a trial"));
    scene_.studies.push_back(std::move(study));
  }

  // ---- sessions

  SimulatedStudy* next_study() {
    std::vector<SimulatedStudy*> open;
    for (SimulatedStudy& study : scene_.studies)
      if (!study.over) open.push_back(&study);
    return open.empty() ? nullptr : random_.of(open);
  }

  void wait(double seconds) {
    bool passed = false;
    scene_.world.after(seconds, [&passed] { passed = true; });
    while (!passed) scene_.world.go_on();
  }

  void run_session(SimulatedStudy& study) {
    scene_.world.say("session", "begins for study " + study.experiment->study().name);
    prepare_session(study);
    try {
      scene_.ranks[0]->begin();
    } catch (const storage::StorageError& error) {
      last_words_ = error.what();
      scene_.world.say("session", "can't begin: " + last_words_);
      scene_.ranks.clear();
      return;
    }
    begin_others();
    while (!scene_.ranks[0]->gone()) {
      if (scene_.world.seconds() > calm_after_ + kPatience)
        throw BrokenRule("a session does not come to its end");
      scene_.world.go_on();
    }
    scene_.lobby.reset();
    const auto end = scene_.ranks[0]->end();
    last_words_ = scene_.ranks[0]->error();
    if (end == RunEnd::refused) throw BrokenRule("the run was refused: " + last_words_);
    study.over = end == RunEnd::all_done || end == RunEnd::some_failed;
    mind_time_limit(study);
    study.rules->check(study.over);
    dismiss_others();
  }

  void prepare_session(SimulatedStudy& study) {
    scene_.study = &study;
    scene_.network = std::make_shared<Network>(scene_.world, study.settings.ranks);
    scene_.lobby = study.serves ? std::make_shared<Lobby>(scene_.world) : nullptr;
    study.settings.lobby = scene_.lobby;
    study.settings.judge = [this](int rank) { scene_.judge_lost(static_cast<std::size_t>(rank)); };
    study.settings.until.reset();
    if (scene_.world.seconds() < calm_after_ && random_.chance(0.15))
      study.settings.until = scene_.world.now() + duration(random_.between(3.0, 60.0));
    scene_.disturbed_until.assign(static_cast<std::size_t>(study.settings.ranks), Time{});
    scene_.cluster.drained = false;
    scene_.cluster.joined.clear();
    scene_.cluster.failed.clear();
    scene_.ranks.clear();
    for (int rank = 0; rank < study.settings.ranks; ++rank)
      scene_.ranks.push_back(scene_.start(*scene_.machines[static_cast<std::size_t>(rank)], rank));
  }

  void begin_others() {
    for (std::size_t rank = 1; rank < scene_.ranks.size(); ++rank)
      scene_.world.after(random_.between(0.0, random_.chance(0.2) ? 18.0 : 3.0),
                         [process = scene_.ranks[rank]] {
                           if (!process->gone()) process->begin();
                         });
    if (random_.chance(0.3))  // while ranks come together
      scene_.world.after(random_.between(0.0, 4.0), [this] {
        if (scene_.world.seconds() < calm_after_) some_fault();
      });
    if (scene_.lobby && random_.chance(0.7))
      scene_.world.after(random_.between(0.0, 10.0), [this] { let_in(scene_, "a worker joins"); });
  }

  // Trainers may be stuck, and be killed for it, and outlive that.
  void mind_time_limit(const SimulatedStudy& study) {
    if (!study.settings.until) return;
    const Time until = *study.settings.until, now = scene_.world.now();
    if (scene_.ranks[0]->end() && now > until + std::chrono::minutes(3))
      throw BrokenRule("the session should have been over for minutes");
    if (!study.over && now > until - std::chrono::seconds(10)) scene_.world.fault(kTimeIsUp, "");
  }

  // By `windrow redo`, once in a world.
  void take_back_some_trial(SimulatedStudy& study) {
    const auto [id, truth] = study.rules->some_trial(random_);
    if (truth == nullptr || std::exchange(has_taken_back_, true)) return;
    try {
      storage::Store store(
          study.settings.database,
          {.own_thread = false, .now = [&world = scene_.world] { return world.now(); }});
      if (store.redo({TrialId{id}}) == 0) return;
    } catch (const storage::StorageError&) {
      return;  // the disk is full, or fails
    }
    scene_.world.fault(kTakenBack, "trial " + std::to_string(id));
    study.rules->taken_back(id);
    study.over = false;
  }

  // By hand, twice in a world at most.
  void edit(SimulatedStudy& study) {
    if (edits_ == 2) return;
    ++edits_;
    scene_.world.fault(kEdited, study.experiment->edit(random_));
    study.over = false;
  }

  // A launcher ends the others, or leaves them to find out.
  void dismiss_others() {
    const bool killed = random_.chance(0.5);
    for (std::size_t rank = 1; rank < scene_.ranks.size(); ++rank)
      if (killed)
        scene_.world.after(random_.between(0.0, 3.0),
                           [process = scene_.ranks[rank]] { process->kill(); });
    scene_.ranks.clear();
    scene_.network.reset();
  }

  // ---- faults

  void next_fault() {
    if (scene_.world.seconds() > calm_after_) {
      scene_.world.say("world", "no faults from now on");
      end_faults(scene_);
      return send_workers();
    }
    some_fault();
    scene_.world.after(random_.between(0.0, 2 * pace_), [this] { next_fault(); });
  }

  // Some kinds need what isn't there at every moment: then another.
  void some_fault() {
    const int before = scene_.world.fired();
    for (int tries = 0; tries < 4 && scene_.world.fired() == before; ++tries) {
      if (enabled_.empty() || scene_.ranks.empty() || scene_.ranks[0]->gone()) break;
      const FaultKind& kind = random_.of(enabled_);
      kind.happens(scene_, kind.name);
    }
  }

  // A run that serves waits for workers where it has no slot of its own left.
  void send_workers() {
    let_in(scene_, "a worker joins");
    scene_.world.after(60, [this] { send_workers(); });
  }

  Scene scene_;
  Random& random_ = scene_.random();
  std::vector<FaultKind> enabled_;
  double calm_after_ = 0, pace_ = 1;
  bool has_taken_back_ = false;
  int edits_ = 0;
  std::string last_words_;  // of the last session
};

}  // namespace

const std::vector<std::string>& fault_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"a trainer is deaf to SIGTERM", kTimeIsUp, kTakenBack, kEdited};
    for (const FaultKind& kind : session_faults()) all.push_back(kind.name);
    for (int kind = 0; kind <= static_cast<int>(Trouble::Kind::damage); ++kind)
      all.push_back(to_string(static_cast<Trouble::Kind>(kind)));
    return all;
  }();
  return names;
}

Outcome simulate(std::uint64_t seed, World::Tell tell) {
  return Simulation(seed, std::move(tell)).run();
}

}  // namespace windrow::simulation
