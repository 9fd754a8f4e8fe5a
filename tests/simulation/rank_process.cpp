#include "tests/simulation/rank_process.h"

#include <algorithm>

#include "orchestrator/coordinator/trial_folder.h"
#include "orchestrator/session/kept_before.h"
#include "orchestrator/session/stop_signals.h"
#include "storage/reader.h"
#include "tests/simulation/told_messages.h"

namespace windrow::simulation {

RankProcess::RankProcess(Cluster& cluster, Machine& machine, std::shared_ptr<Network> network,
                         int rank, Experiment& experiment, const RunSettings& settings)
    : cluster_(cluster),
      machine_(machine),
      network_(std::move(network)),
      rank_(rank),
      experiment_(experiment),
      settings_(settings),
      clock_(cluster.world.now()) {}

std::string RankProcess::name() const {
  return (is_guest() ? guest_ : "rank " + std::to_string(rank_)) + " on " + machine_.name;
}

void RankProcess::tell(const std::string& what, const std::string& message) {
  if (!message.empty()) cluster_.world.say(name(), what + message);
}

SlotRunner::LogLine RankProcess::log_line() {
  return [this](const std::string& level, const std::string& text) {
    if (text.find("gets no more trials") != std::string::npos) cluster_.drained = true;
    cluster_.world.say(name(), level + ": " + text);
  };
}

void RankProcess::begin() {
  transport_.emplace(network_->link(rank_, waker()));
  if (rank_ == 0) begin_head();
  if (rank_ == 0 && settings_.lobby) transport_->open(settings_.lobby->door(waker()));
  begin_agent();
}

void RankProcess::join(const std::string& guest) {
  guest_ = guest;
  transport_.emplace(settings_.lobby->guest(guest, waker()));
  begin_agent();
}

std::function<void()> RankProcess::waker() {
  return [self = weak_from_this()] {
    const auto process = self.lock();
    if (process && !process->gone_)
      process->plan(process->cluster_.world.random().between(0.0, 0.002));
  };
}

void RankProcess::begin_agent() {
  host_ = std::make_unique<SimulatedHost>(cluster_, machine_,
                                          [self = weak_from_this()](std::function<void()> what) {
                                            const auto process = self.lock();
                                            if (!process || process->gone_) return;
                                            process->posted_.push_back(std::move(what));
                                            process->plan(0);
                                          });
  AgentOptions options{.host = machine_.name,
                       .study_hash = rank_ == 0 || is_guest() ? "" : experiment_.study().hash,
                       .guest = is_guest(),
                       .welcome_seconds = std::max(10.0, 2 * settings_.lost_seconds)};
  const int slots = is_guest() || settings_.ranks_work ? settings_.slots : 0;
  for (int slot = 0; slot < slots; ++slot) options.slots.push_back({"cpu", 1});
  const auto now = [this] { return clock_.now(cluster_.world.now()); };
  agent_ = std::make_unique<Agent>(
      *host_, std::move(options), now,
      [this](protocol::FromAgent message) {
        tell("says ", told_report(message));
        transport_->send_to_coordinator(std::move(message));
      },
      log_line());
  agent_->say_hello();
  if (!is_guest()) cluster_.joined[machine_.name] = cluster_.world.now();
  loop_.emplace(*transport_, *agent_, coordinator_.get(), now);
  plan(0);
  if (store_) write();
}

void RankProcess::begin_head() {
  const sweeps::Study& study = experiment_.study();
  storage::StoreOptions writer{.own_thread = false,
                               .now = [&world = cluster_.world] { return world.now(); }};
  store_ = std::make_unique<storage::Store>(settings_.database, std::move(writer));
  CoordinatorOptions options{.agents = settings_.ranks,
                             .serves = settings_.lobby != nullptr,
                             .lost_seconds = settings_.lost_seconds,
                             .gangs = settings_.gangs,
                             .expansion = std::launch::deferred};
  options.time_of_day = [&world = cluster_.world] { return time_of_day(world.now()); };
  if (settings_.until) options.until = time_of_day(*settings_.until);
  options.checkpoints = checkpoint_root(settings_.checkpoints, store_->database_id());
  if (sweeps::kept_checkpoints(study).count > 0) {
    storage::Reader reader(settings_.database);
    options.kept = kept_before(reader, study, options.checkpoints);
  }
  coordinator_ = std::make_unique<Coordinator>(
      study, *store_, std::move(options),
      [this](AgentId agent, protocol::ToAgent message) {
        tell("to rank " + std::to_string(agent.value) + ": ", told_order(message));
        transport_->send_to_agent(agent, std::move(message));
      },
      [this](AgentId lost) {
        const auto rank = static_cast<int>(lost.value);
        if (rank < settings_.ranks) settings_.judge(rank);
        transport_->lose(rank);
      },
      log_line());
}

// The earliest of what was planned counts.
void RankProcess::plan(double seconds) {
  const Time at = std::max({cluster_.world.now() + duration(seconds), paused_until_, next_pass_});
  if (at >= planned_) return;
  planned_ = at;
  cluster_.world.at(at, [self = shared_from_this(), at] {
    if (!self->gone_ && self->planned_ == at) self->pass();
  });
}

void RankProcess::pass() {
  planned_ = Time::max();
  const Time now = cluster_.world.now();
  if (now < paused_until_) return plan(0);
  try {
    for (const auto& what : std::exchange(posted_, {})) what();
    const RankLoop::Pass pass = loop_->pass();
    if (loop_->over()) come_again_ = is_guest() && agent_->may_come_again();
    if (loop_->over())
      return leave(coordinator_ ? std::optional(coordinator_->end()) : std::nullopt);
    const double wait = std::chrono::duration<double>(pass.wait).count();
    if (now < slow_until_) next_pass_ = now + duration(slowness_);
    plan(std::max(wait, 2e-5));
  } catch (const storage::StorageError& error) {
    error_ = error.what();
    cluster_.world.say(name(), "ends: " + error_);
    agent_.reset();
    for (int rank = 1; rank < settings_.ranks; ++rank)
      transport_->send_to_agent(AgentId{rank}, protocol::Leave{"rank 0 can't go on"});
    leave(std::nullopt);
  }
}

// What the store's thread does, beside the loop.
void RankProcess::write() {
  if (gone_) return;
  World& world = cluster_.world;
  const Time now = world.now();
  if (now >= paused_until_ && now >= disk_until_) {
    store_->write_now();
    try {
      const std::uint64_t durable = store_->committed();
      if (std::exchange(durable_, durable) != durable)
        world.say(name(), "has records up to " + std::to_string(durable) + " durable");
    } catch (const storage::StorageError&) {  // pass() will meet it
    }
  }
  world.after(world.random().between(0.001, 0.06), [self = shared_from_this()] { self->write(); });
}

void RankProcess::leave(std::optional<RunEnd> end) {
  end_ = end;
  if (coordinator_ && error_.empty())
    error_ = end == RunEnd::refused ? coordinator_->refusal() : coordinator_->stop_reason();
  cluster_.world.say(name(), "has left");
  kill();
}

void RankProcess::kill() {
  if (std::exchange(gone_, true)) return;
  if (is_guest())
    settings_.lobby->gone(guest_);
  else
    network_->kill(rank_);
  if (coordinator_ && settings_.lobby) settings_.lobby->close();
  posted_.clear();
  loop_.reset();
  agent_.reset();
  coordinator_.reset();
  store_.reset();
  transport_.reset();
  host_.reset();
}

void RankProcess::pause(double seconds) {
  if (!loop_) return;
  paused_until_ = cluster_.world.now() + duration(seconds);
  planned_ = Time::max();
  plan(seconds);
}

void RankProcess::be_slow(double seconds_each_pass, double for_seconds) {
  slowness_ = seconds_each_pass;
  slow_until_ = cluster_.world.now() + duration(for_seconds);
}

void RankProcess::stall_disk(double seconds) {
  disk_until_ = cluster_.world.now() + duration(seconds);
}

void RankProcess::signal() {
  if (!loop_) return kill();  // nothing of ours runs yet
  posted_.push_back([this] {
    agent_->stop(false, kTerminateSeconds);
    if (coordinator_)
      coordinator_->stop(false, "SIGTERM");
    else if (!is_guest())
      transport_->send_to_coordinator(protocol::StopRequested{"SIGTERM"});
  });
  plan(0);
}

void RankProcess::cancel(TrialId trial) {
  posted_.push_back([this, trial] { coordinator_->cancel({trial}, "somebody"); });
  plan(0);
}

}  // namespace windrow::simulation
