#include "tests/simulation/simulation.h"

#include <stdlib.h>

#include <filesystem>

#include "tests/simulation/machine.h"
#include "tests/simulation/rank_process.h"
#include "tests/simulation/rules.h"
#include "tests/storage/fault_vfs.h"

namespace windrow::simulation {
namespace {

namespace fs = std::filesystem;
using storage::FaultVfs;

constexpr double kPatience = 3 * 3600;  // simulated seconds without faults: the end is near

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "windrow-simulate-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The folder's name is no seed's.
World::Tell without(const std::string& folder, World::Tell tell) {
  if (!tell) return {};
  return [folder, tell = std::move(tell)](std::string line) {
    for (std::size_t at = 0; (at = line.find(folder)) != std::string::npos;)
      line.erase(at, folder.size());
    tell(line);
  };
}

class Simulation {
 public:
  Simulation(std::uint64_t seed, World::Tell tell)
      : world_(seed, without(folder_.path().string() + "/", std::move(tell))),
        random_(world_.random()),
        cluster_{.world = world_} {
    plan_faults();
    plan_studies();
  }

  // Processes that live still end before the machines do.
  ~Simulation() {
    vfs_.fail(FaultVfs::Fault::io_error);
    for (const auto& process : all_processes_)
      if (const auto living = process.lock()) living->kill();
    vfs_.fail(FaultVfs::Fault::none);
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Outcome run() {
    Outcome outcome;
    world_.after(random_.between(0.5, 10.0), [this] { next_fault(); });
    while (Study* study = next_study()) {
      ++outcome.sessions;
      run_session(*study);
      if (world_.seconds() > calm_after_ + kPatience)
        throw BrokenRule("the end is not reached after " + std::to_string(outcome.sessions) +
                         " sessions; the last one said: " + last_words_);
      wait(random_.between(0.1, 5.0));
    }
    for (const Study& study : studies_) {
      outcome.trials += static_cast<int>(study.experiment->size());
      outcome.epochs += study.rules->epochs();
    }
    outcome.faults = world_.faults();
    outcome.seconds = world_.seconds();
    return outcome;
  }

 private:
  struct Study {
    std::unique_ptr<Experiment> experiment;
    std::unique_ptr<Rules> rules;
    RunSettings settings;
    bool serves = false;
    bool over = false;
  };
  struct Kind {
    std::string name;
    void (Simulation::*happens)(const std::string& name);
    // Where a machine breaks for a time, it takes the others to see that it is the machine.
    bool hides_the_broken = false, breaks = false;
  };
  static const std::vector<Kind>& kinds();
  friend const std::vector<std::string>& windrow::simulation::fault_kinds();

  void plan_faults() {
    calm_after_ = random_.between(20.0, 200.0);
    pace_ = random_.between(2.0, 20.0);
    const bool may_break = random_.chance(0.3);
    cluster_.all_stay = may_break;
    for (const Kind& kind : kinds())
      if (may_break ? kind.breaks || (!kind.hides_the_broken && random_.chance(0.3))
                    : !kind.breaks && random_.chance(0.3))
        enabled_.push_back(kind);
  }

  void plan_studies() {
    const int machines = random_.between(1, 4);
    for (int i = 0; i < machines; ++i)
      machines_.push_back(std::make_unique<Machine>(Machine{.name = "n" + std::to_string(i)}));
    breakable_ = static_cast<std::size_t>(random_.below(machines));
    cluster_.breakable = machines_[breakable_]->name;
    vfs_.skip_syncs(true);
    vfs_.refuse_shared_memory(random_.chance(0.4));
    const int studies = random_.chance(0.3) ? 2 : 1;
    for (int number = 1; number <= studies; ++number) {
      const ExperimentWishes wishes{.number = number,
                                    .persistent = random_.chance(0.6),
                                    .troubles = random_.chance(0.6),
                                    .failing_trials = random_.chance(0.4),
                                    .early_stopping = random_.chance(0.3),
                                    .keeps_checkpoints = random_.chance(0.3)};
      Study study;
      study.experiment = std::make_unique<Experiment>(wishes, random_);
      study.settings = {.database = folder_.path() / ("w" + std::to_string(number) + ".db"),
                        .checkpoints = "/checkpoints",
                        .ranks = machines,
                        .slots = random_.between(1, 4),
                        .lost_seconds = random_.between(3.0, 10.0)};
      study.rules = std::make_unique<Rules>(study.settings.database, study.settings.checkpoints,
                                            *study.experiment, cluster_.folder);
      study.serves = random_.chance(0.3) && !cluster_.all_stay;
      cluster_.experiments[std::to_string(number)] = study.experiment.get();
      world_.say("study", std::to_string(number) + ": " + std::to_string(study.experiment->size()) +
                              " trials, " + std::to_string(machines) + " ranks of " +
                              std::to_string(study.settings.slots) + " slots" +
                              (wishes.persistent ? "" : ", a process a trial"));
      studies_.push_back(std::move(study));
    }
  }

  // ---- sessions

  Study* next_study() {
    std::vector<Study*> open;
    for (Study& study : studies_)
      if (!study.over) open.push_back(&study);
    return open.empty() ? nullptr : random_.of(open);
  }

  void wait(double seconds) {
    bool passed = false;
    world_.after(seconds, [&passed] { passed = true; });
    while (!passed) world_.go_on();
  }

  void run_session(Study& study) {
    world_.say("session", "begins for study " + study.experiment->study().name);
    network_ = std::make_shared<Network>(world_, study.settings.ranks);
    lobby_ = study.serves ? std::make_shared<Lobby>(world_) : nullptr;
    study.settings.lobby = lobby_;
    study.settings.judge = [this](int rank) { judge_lost(static_cast<std::size_t>(rank)); };
    disturbed_until_.assign(static_cast<std::size_t>(study.settings.ranks), Time{});
    study_ = &study;
    cluster_.drained = false;
    cluster_.joined.clear();
    cluster_.failed.clear();
    ranks_.clear();
    for (int rank = 0; rank < study.settings.ranks; ++rank)
      ranks_.push_back(
          std::make_shared<RankProcess>(cluster_, *machines_[static_cast<std::size_t>(rank)],
                                        network_, rank, *study.experiment, study.settings));
    all_processes_.insert(all_processes_.end(), ranks_.begin(), ranks_.end());
    try {
      ranks_[0]->begin();
    } catch (const storage::StorageError& error) {
      world_.say("session", std::string("can't begin: ") + error.what());
      last_words_ = error.what();
      ranks_.clear();
      return;
    }
    for (std::size_t rank = 1; rank < ranks_.size(); ++rank)
      world_.after(random_.between(0.0, random_.chance(0.2) ? 18.0 : 3.0),
                   [process = ranks_[rank]] {
                     if (!process->gone()) process->begin();
                   });
    if (lobby_ && random_.chance(0.7))
      world_.after(random_.between(0.0, 10.0), [this] { let_in("a worker joins"); });
    while (!ranks_[0]->gone()) {
      if (world_.seconds() > calm_after_ + kPatience)
        throw BrokenRule("a session does not come to its end");
      world_.go_on();
    }
    lobby_.reset();
    const auto end = ranks_[0]->end();
    last_words_ = ranks_[0]->error();
    if (end == RunEnd::refused) throw BrokenRule("the run was refused: " + last_words_);
    study.over = end == RunEnd::all_done || end == RunEnd::some_failed;
    study.rules->check(study.over);
    dismiss_others();
  }

  // A launcher ends the others, or leaves them to find out.
  void dismiss_others() {
    const bool killed = random_.chance(0.5);
    for (std::size_t rank = 1; rank < ranks_.size(); ++rank)
      if (killed)
        world_.after(random_.between(0.0, 3.0), [process = ranks_[rank]] { process->kill(); });
    ranks_.clear();
    network_.reset();
  }

  // A rank that lives and was left alone is heard, however long its words wait to be read.
  void judge_lost(std::size_t rank) {
    if (rank >= ranks_.size() || ranks_[rank]->gone() || world_.now() < disturbed_until_[rank])
      return;
    throw BrokenRule(named(rank) + " is taken for dead, and lives");
  }
  void disturb(std::size_t rank, double seconds) {
    disturbed_until_[rank] =
        std::max(disturbed_until_[rank],
                 world_.now() + duration(seconds + 2 * study_->settings.lost_seconds));
  }

  // ---- faults

  void next_fault() {
    if (world_.seconds() > calm_after_) return calm_down();
    if (!enabled_.empty() && !ranks_.empty() && !ranks_[0]->gone()) {
      const Kind& kind = random_.of(enabled_);
      (this->*kind.happens)(kind.name);
    }
    world_.after(random_.between(0.0, 2 * pace_), [this] { next_fault(); });
  }

  void calm_down() {
    world_.say("world", "no faults from now on");
    vfs_.fail(FaultVfs::Fault::none);
    for (const auto& machine : machines_) {
      machine->wedged = false;
      machine->refused_starts = 0;
      machine->broken_until = {};
    }
    for (std::size_t rank = 0; network_ && rank < ranks_.size(); ++rank)
      network_->cut_off(static_cast<int>(rank), false);
    if (network_) network_->slow_down(0.001);
    send_workers();
  }

  // A run that serves waits for workers where it has no slot of its own left.
  void send_workers() {
    let_in("a worker joins");
    world_.after(60, [this] { send_workers(); });
  }

  std::size_t some_rank(bool also_the_first = true) {
    const int ranks = static_cast<int>(ranks_.size());
    if (!also_the_first && ranks == 1) return 0;
    return static_cast<std::size_t>(random_.between(also_the_first ? 0 : 1, ranks - 1));
  }
  static std::string named(std::size_t rank) { return "rank " + std::to_string(rank); }
  double lost_seconds() const { return studies_[0].settings.lost_seconds; }

  void kill_rank(const std::string& kind) {
    const std::size_t rank = some_rank(false);
    if (rank == 0 || ranks_[rank]->gone()) return;
    world_.fault(kind, named(rank));
    ranks_[rank]->kill();
  }

  void kill_coordinator(const std::string& kind) {
    world_.fault(kind, "");
    vfs_.fail(FaultVfs::Fault::io_error);  // a dead process writes no more
    ranks_[0]->kill();
    vfs_.fail(FaultVfs::Fault::none);
  }

  void lose_power(const std::string& kind) {
    world_.fault(kind, "");
    vfs_.fail(FaultVfs::Fault::io_error);
    ranks_[0]->kill();
    vfs_.lose_power([this] { return random_.next(); });
  }

  void fill_disk(const std::string& kind) { fail_disk(kind, FaultVfs::Fault::disk_full); }
  void break_disk(const std::string& kind) { fail_disk(kind, FaultVfs::Fault::io_error); }
  void fail_disk(const std::string& kind, FaultVfs::Fault fault) {
    world_.fault(kind, "");
    vfs_.fail(fault);
    world_.after(random_.between(0.1, 10.0), [this] { vfs_.fail(FaultVfs::Fault::none); });
  }

  void stall_disk(const std::string& kind) {
    world_.fault(kind, "");
    ranks_[0]->stall_disk(random_.between(0.5, 20.0));
  }

  void pause_rank(const std::string& kind) {
    const std::size_t rank = some_rank();
    if (ranks_[rank]->gone()) return;
    world_.fault(kind, named(rank));
    const double seconds = random_.between(0.1, 3 * lost_seconds());
    disturb(rank, seconds);
    ranks_[rank]->pause(seconds);
  }

  void slow_rank(const std::string& kind) {
    const std::size_t rank = some_rank();
    if (ranks_[rank]->gone()) return;
    world_.fault(kind, named(rank));
    const double seconds = random_.between(1.0, 30.0);
    if (rank > 0) disturb(rank, seconds);
    ranks_[rank]->be_slow(random_.between(0.1, 0.9), seconds);
  }

  void cut_shortly(const std::string& kind) {
    cut_off(kind, random_.between(0.1, 0.8) * lost_seconds());
  }
  void cut_for_long(const std::string& kind) {
    cut_off(kind, random_.between(1.2, 5.0) * lost_seconds());
  }
  void cut_off(const std::string& kind, double seconds) {
    const std::size_t rank = some_rank(false);
    if (rank == 0 || ranks_[rank]->gone()) return;
    world_.fault(kind, named(rank));
    disturb(rank, seconds);
    network_->cut_off(static_cast<int>(rank), true);
    world_.after(seconds,
                 [network = network_, rank] { network->cut_off(static_cast<int>(rank), false); });
  }

  void slow_network(const std::string& kind) {
    world_.fault(kind, "");
    const double seconds = random_.between(1.0, 20.0);
    for (std::size_t rank = 1; rank < ranks_.size(); ++rank) disturb(rank, seconds);
    network_->slow_down(random_.between(0.05, 0.8));
    world_.after(seconds, [network = network_] { network->slow_down(0.001); });
  }

  // More than the coordinator reads in a pass, for longer than it waits for a silent rank.
  void flood(const std::string& kind) {
    std::erase_if(cluster_.living, [](const auto& one) { return one.expired(); });
    if (cluster_.living.empty() || ranks_.size() == 1) return;
    world_.fault(kind, "");
    ranks_[0]->be_slow(random_.between(0.5, 0.9), 4 * lost_seconds());
    for (const auto& process : cluster_.living)
      if (const auto living = process.lock()) living->flood(2000);
  }

  void signal_all(const std::string& kind) {
    world_.fault(kind, "");
    for (const auto& rank : ranks_)
      if (!rank->gone()) rank->signal();
  }

  void signal_rank(const std::string& kind) {
    const std::size_t rank = some_rank();
    if (ranks_[rank]->gone()) return;
    world_.fault(kind, named(rank));
    ranks_[rank]->signal();
  }

  // Only one of several, once: a trial that fails on all machines is failed, and rightly.
  void break_machine(const std::string& kind) {
    if (machines_.size() == 1 || std::exchange(has_broken_, true)) return;
    Machine& machine = *machines_[breakable_];
    machine.broken_slot = random_.chance(0.3) ? 0 : -1;
    machine.broken_until = world_.now() + duration(random_.between(1.0, 60.0));
    world_.say("world", kind + ": " + machine.name);
  }

  // A worker joins the run; where it is lost and may come again, it does.
  void let_in(const std::string& kind) {
    if (!lobby_ || ranks_[0]->gone()) return;
    world_.fault(kind, "");
    join(lobby_, *study_);
  }
  void join(const std::shared_ptr<Lobby>& lobby, Study& study) {
    const std::string name = "worker " + std::to_string(++guests_);
    auto process = std::make_shared<RankProcess>(cluster_, *random_.of(machines_), network_, -1,
                                                 *study.experiment, study.settings);
    process->join(name);
    all_processes_.push_back(process);
    guests_here_.push_back(process);
    watch_guest(lobby, study, process);
  }
  void watch_guest(const std::shared_ptr<Lobby>& lobby, Study& study,
                   const std::shared_ptr<RankProcess>& guest) {
    world_.after(random_.between(0.5, 2.0), [this, lobby, &study, guest] {
      if (!guest->gone()) return watch_guest(lobby, study, guest);
      if (guest->may_come_again() && lobby == lobby_) join(lobby, study);
    });
  }
  std::shared_ptr<RankProcess> some_guest() {
    std::erase_if(guests_here_, [](const auto& guest) { return guest->gone(); });
    return guests_here_.empty() ? nullptr : random_.of(guests_here_);
  }
  void kill_guest(const std::string& kind) {
    const auto guest = some_guest();
    if (!guest) return;
    world_.fault(kind, "");
    guest->kill();
  }
  void signal_guest(const std::string& kind) {
    const auto guest = some_guest();
    if (!guest) return;
    world_.fault(kind, "");
    guest->signal();
  }
  void break_connections(const std::string& kind) {
    if (!lobby_ || !some_guest()) return;
    world_.fault(kind, "");
    lobby_->break_connections(random_.between(0.01, 2 * lost_seconds()));
  }

  void cancel_trial(const std::string& kind) {
    auto [id, truth] = study_->rules->some_trial(random_);
    if (truth == nullptr || std::exchange(cancelled_, true)) return;
    world_.fault(kind, "trial " + std::to_string(id));
    truth->may_be_cancelled = true;
    ranks_[0]->cancel(TrialId{id});
  }

  void wedge_process(const std::string&) { random_.of(machines_)->wedged = true; }
  void refuse_starts(const std::string&) {
    if (!std::exchange(starts_refused_, true)) random_.of(machines_)->refused_starts = 1;
  }

  Folder folder_;
  World world_;
  Random& random_;
  FaultVfs vfs_;
  std::vector<std::unique_ptr<Machine>> machines_;
  Cluster cluster_;
  std::vector<Study> studies_;
  std::vector<Kind> enabled_;
  double calm_after_ = 0, pace_ = 1;
  std::size_t breakable_ = 0;  // machine
  bool has_broken_ = false, starts_refused_ = false;
  std::string last_words_;
  std::vector<Time> disturbed_until_;  // of the session's ranks
  Study* study_ = nullptr;             // of the session
  std::shared_ptr<Network> network_;   // likewise
  std::shared_ptr<Lobby> lobby_;       // likewise, where workers may join
  int guests_ = 0;                     // ever
  std::vector<std::shared_ptr<RankProcess>> guests_here_;
  bool cancelled_ = false;  // a trial, once
  std::vector<std::shared_ptr<RankProcess>> ranks_;
  std::vector<std::weak_ptr<RankProcess>> all_processes_;  // of all sessions
};

const std::vector<Simulation::Kind>& Simulation::kinds() {
  static const std::vector<Kind> all = {
      {"a rank is killed", &Simulation::kill_rank, true},
      {"the coordinator is killed", &Simulation::kill_coordinator},
      {"the power fails", &Simulation::lose_power},
      {"the disk is full", &Simulation::fill_disk},
      {"the disk fails", &Simulation::break_disk},
      {"the disk stalls", &Simulation::stall_disk},
      {"a rank is paused", &Simulation::pause_rank, true},
      {"a rank is slow", &Simulation::slow_rank},
      {"a rank is cut off for a moment", &Simulation::cut_shortly},
      {"a rank is cut off for long", &Simulation::cut_for_long, true},
      {"messages take long", &Simulation::slow_network},
      {"epochs flood a slow coordinator", &Simulation::flood},
      {"all ranks are signalled", &Simulation::signal_all},
      {"a rank is signalled", &Simulation::signal_rank, true},
      {"a broken machine fails a trial", &Simulation::break_machine, false, true},
      {"a process outlives SIGKILL", &Simulation::wedge_process, true},
      {"a trial is cancelled", &Simulation::cancel_trial},
      {"a worker joins", &Simulation::let_in},
      {"a worker is killed", &Simulation::kill_guest, true},
      {"a worker is signalled", &Simulation::signal_guest, true},
      {"connections to workers break", &Simulation::break_connections, true},
      {"no process can be started", &Simulation::refuse_starts, true},
  };
  return all;
}

}  // namespace

const std::vector<std::string>& fault_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"a trainer is deaf to SIGTERM"};
    for (const auto& kind : Simulation::kinds()) all.push_back(kind.name);
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
