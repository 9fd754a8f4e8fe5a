#include "orchestrator/scheduler/simulator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "orchestrator/scheduler/simulated_cluster.h"
#include "orchestrator/scheduler/simulation_books.h"
#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

namespace {

using Event = SimulatedEvent;

// The coordinator of a simulated run.
class Simulation {
 public:
  Simulation(std::span<const TrialSpec> trials, const SimulationOptions& options)
      : options_(options),
        later_(options.later),
        state_(make_state(options.budgets, options.gangs)),
        cluster_(options_, events_, result_),
        books_(result_) {
    add(trials);
    for (int i = 0; i < options.agents; ++i) events_.at(0, {.kind = Event::Kind::joined});
    for (const auto& [time, specs] : later_) events_.at(time, {.kind = Event::Kind::added});
    if (options.stop_at > 0) events_.at(options.stop_at, {.kind = Event::Kind::stop_requested});
  }

  SimulationResult run() {
    while (!events_.empty() && !over() && !result_.fault) {
      const Event event = events_.next();
      if (event.kind > Event::Kind::die)
        handle(event);
      else
        cluster_.handle(event);
    }
    books_.close();
    return std::move(result_);
  }

 private:
  bool over() const { return (all_over(state_) && later_.empty()) || (stopped_ && idle(state_)); }

  void add(std::span<const TrialSpec> trials) {
    for (const TrialSpec& spec : trials) {
      cluster_.add_trial(spec);
      books_.add_trial(spec);
    }
    on_trials_added(state_, trials, commands_);
    obey();
  }

  void handle(const Event& event) {
    ++result_.events;
    switch (event.kind) {
      case Event::Kind::joined:
        join();
        break;
      case Event::Kind::rested:
        on_slot_rested(state_, event.slot, commands_);
        break;
      case Event::Kind::lost:
        books_.lost(event.agent);
        on_agent_lost(state_, event.agent, commands_);
        break;
      case Event::Kind::added: {
        const auto specs = later_.extract(later_.begin());
        add(specs.mapped());
        break;
      }
      case Event::Kind::stop_requested:
        on_stop_requested(state_, commands_);
        stop();
        break;
      default:
        tell(event);
        break;
    }
    obey();
    if (options_.check_every > 0 && result_.events % options_.check_every == 0)
      if (auto fault = check_invariants(state_); fault && !result_.fault) result_.fault = fault;
  }

  void stop() {
    stopped_ = true;
    books_.stop_requested();
    cluster_.send_stop();
  }

  void join() {
    const AgentId agent = cluster_.add_agent();
    books_.joined(agent, cluster_.slots_of(agent));
    on_agent_joined(state_, agent, cluster_.slots_of(agent), commands_);
    if (stopped_) cluster_.send_stop();
  }

  // A message about an attempt.
  void tell(const Event& event) {
    if (event.kind == Event::Kind::helped)
      return on_helper_over(state_, event.slot, event.trial, event.attempt, false, commands_);
    const TrialPhase before = *phase_of(state_, event.trial);
    const bool stale = !books_.told(event);
    switch (event.kind) {
      case Event::Kind::started:
        on_attempt_started(state_, event.slot, event.trial, event.attempt, commands_,
                           cluster_.takes(event.trial), event.epoch);
        break;
      case Event::Kind::epoch:
        on_epoch(state_, event.slot, event.trial, event.attempt, event.epoch, event.seconds,
                 commands_, event.members);
        break;
      case Event::Kind::finished:
        on_attempt_finished(state_, event.slot, event.trial, event.attempt, commands_);
        break;
      case Event::Kind::failed:
        on_attempt_failed(
            state_, event.slot, event.trial, event.attempt,
            {event.failure, protocol::Reached::started, static_cast<std::uint64_t>(event.failure)},
            commands_);
        break;
      default:
        on_withdrawn(state_, event.slot, event.trial, event.attempt, commands_);
        break;
    }
    books_.compare(event, stale, before, *phase_of(state_, event.trial));
    if (!stale) result_.makespan = events_.now();
  }

  // Sends what the scheduler commanded.
  void obey() {
    for (const Command& command : commands_) {
      books_.commanded(command);
      if (const auto* assign = std::get_if<AssignTrial>(&command))
        cluster_.send(*assign, books_.durable_epochs(assign->trial));
      else if (const auto* withdraw = std::get_if<WithdrawTrial>(&command))
        cluster_.send(*withdraw);
      else if (const auto* lend = std::get_if<LendSlot>(&command))
        cluster_.send(*lend);
      else if (const auto* helpers = std::get_if<SetHelpers>(&command))
        cluster_.send(*helpers);
      else if (const auto* rest = std::get_if<RestSlot>(&command))
        events_.at(events_.now() + rest->seconds,
                   {.kind = Event::Kind::rested, .slot = rest->slot});
      else if (std::holds_alternative<StopRun>(command))
        stop();
    }
    commands_.clear();
  }

  const SimulationOptions& options_;
  std::map<double, std::vector<TrialSpec>> later_;
  State state_;
  SimulatedEvents events_;
  SimulationResult result_;
  SimulatedCluster cluster_;
  SimulationBooks books_;
  Commands commands_;
  bool stopped_ = false;
};

}  // namespace

// ---- randomness

std::uint64_t Random::bits() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Random::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

double Random::exponential(double mean) {
  if (mean <= 0) return std::numeric_limits<double>::infinity();
  return -mean * std::log1p(-uniform());
}

std::uint64_t Random::below(std::uint64_t n) {
  return bits() % n;  // the bias is below n / 2^64
}

FailureModel random_failures(
    const std::array<double, protocol::kFailureKindNames.size()>& probabilities) {
  return [probabilities](SlotId, TrialId, int, Random& random) -> std::optional<FailureKind> {
    double left = random.uniform();
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      if (left < probabilities[i]) return static_cast<FailureKind>(i);
      left -= probabilities[i];
    }
    return std::nullopt;
  };
}

// ---- runs

SimulationResult simulate(std::span<const TrialSpec> trials, const SimulationOptions& options) {
  return Simulation(trials, options).run();
}

Prediction predict(std::span<const TrialSpec> trials, int slots, const GangPolicy& gangs) {
  if (slots < 1)
    throw std::invalid_argument("can't predict a run on " + std::to_string(slots) +
                                " slots; give at least 1");
  // Cells that were never measured: by their cost, at the rate of those that were.
  double seconds = 0, cost = 0;
  std::int64_t epochs = 0;
  bool scales = false;  // some gang was measured
  for (const TrialSpec& spec : trials) {
    epochs += std::max(spec.epochs - spec.committed_epochs, 0);
    scales = scales || !spec.gang_epoch_seconds.empty();
    if (spec.epoch_seconds > 0) {
      seconds += spec.epoch_seconds * spec.epochs;
      cost += spec.declared_cost;
    }
  }
  const double rate = cost > 0 ? seconds / cost : 1;
  // Epoch by epoch where gangs may form between them, else each trial in one go.
  constexpr std::int64_t kMostEpochs = 300'000;
  const bool by_epoch = scales && (gangs.automatic || gangs.members > 1) && epochs <= kMostEpochs;
  std::vector<TrialSpec> whole;
  double total = 0, longest = 0;
  for (const TrialSpec& spec : trials) {
    const int all = std::max(spec.epochs, 1);
    const int left = std::max(all - spec.committed_epochs, 0);
    const double epoch_seconds =
        spec.epoch_seconds > 0 ? spec.epoch_seconds : spec.declared_cost / all * rate;
    const int index = static_cast<int>(whole.size());
    TrialSpec& trial = whole.emplace_back();
    trial.trial = {index};
    trial.group = by_epoch ? spec.group : index;
    trial.declared_cost = epoch_seconds * left;
    if (by_epoch && left > 0) {
      trial.epochs = left;
      trial.epoch_seconds = epoch_seconds;
      trial.widest = spec.gang_epoch_seconds.empty() ? 1 : spec.widest;
      trial.gang_epoch_seconds = spec.gang_epoch_seconds;
    }
    double shortest = 1;  // of its own work, were all slots its helpers
    for (const auto& [members, gang_seconds] : trial.gang_epoch_seconds)
      if (members <= std::min(slots, trial.widest) && gang_seconds > 0)
        shortest = std::min(shortest, gang_seconds / epoch_seconds);
    total += trial.declared_cost;
    longest = std::max(longest, trial.declared_cost * shortest);
  }
  const SimulationResult result = simulate(
      whole,
      {.slots_per_agent = slots,
       .epoch_seconds = [](const TrialSpec& s) { return s.declared_cost / std::max(s.epochs, 1); },
       .gangs = by_epoch ? gangs : GangPolicy{}});
  Prediction prediction{.slots = slots, .lower_bound_seconds = std::max(longest, total / slots)};
  prediction.makespan_seconds = result.makespan;
  prediction.widened = result.widened;
  prediction.widest = result.widest;
  if (result.makespan > 0) prediction.slot_use = std::min(1.0, total / (slots * result.makespan));
  return prediction;
}

}  // namespace windrow::scheduler
