// Whole runs with a virtual clock, random failures and dying agents; the rules are checked on the
// way, and in the end every trial must have finished or failed for a reason.
#include <gtest/gtest.h>

#include <algorithm>

#include "orchestrator/scheduler/simulator.h"

namespace windrow::scheduler {
namespace {

std::vector<TrialSpec> random_trials(int number, std::uint64_t seed) {
  Random random(seed);
  std::vector<TrialSpec> trials;
  for (int i = 0; i < number; ++i) {
    TrialSpec spec;
    spec.trial = TrialId{i + 1};
    spec.group = i / 3;
    spec.epochs = 1 + static_cast<int>(random.below(20));
    spec.declared_cost = spec.epochs;
    trials.push_back(spec);
  }
  return trials;
}

// That come during a run, and are none of those before.
std::vector<TrialSpec> further_trials(int number) {
  auto trials = random_trials(number, 99);
  for (TrialSpec& spec : trials) {
    spec.trial.value += 1000;
    spec.group += 1000;
  }
  return trials;
}

FailureModel mixed_failures() {
  std::array<double, protocol::kFailureKindNames.size()> p{};
  p[static_cast<std::size_t>(FailureKind::crash)] = 0.02;
  p[static_cast<std::size_t>(FailureKind::oom)] = 0.005;
  p[static_cast<std::size_t>(FailureKind::nan)] = 0.005;
  p[static_cast<std::size_t>(FailureKind::hang)] = 0.002;
  p[static_cast<std::size_t>(FailureKind::preempted)] = 0.02;
  return random_failures(p);
}

SimulationOptions stormy(std::uint64_t seed) {
  SimulationOptions options;
  options.agents = 16;
  options.slots_per_agent = 4;
  options.epoch_seconds = [](const TrialSpec& spec) { return 1.0 + spec.group % 7; };
  options.start_seconds = 0.5;
  options.message_seconds = 0.05;
  options.failure = mixed_failures();
  options.agent_loss_seconds = 200;
  options.rejoin_seconds = 30;
  options.seed = seed;
  options.check_every = 500;
  return options;
}

TEST(Simulation, TenThousandTrialsWithFailuresAndDyingAgents) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    const auto trials = random_trials(10'000, seed);
    const SimulationResult result = simulate(trials, stormy(seed));
    EXPECT_EQ(result.fault.value_or(""), "");
    EXPECT_EQ(result.left, 0);
    EXPECT_EQ(result.finished + static_cast<int>(result.failed.size()), 10'000);
    EXPECT_GT(result.busy_seconds.size(), 64U);  // agents died, others joined in their place
    EXPECT_GT(result.failures.at(FailureKind::crash), 0);
    for (const auto& [trial, kind] : result.failed)
      EXPECT_TRUE(kind != FailureKind::node && kind != FailureKind::preempted)
          << "trial " << trial.value << " blamed for " << protocol::to_string(kind);
    EXPECT_LT(result.failed.size(), 300U);
  }
}

TEST(Simulation, EveryEventOfASmallStormKeepsTheRules) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    SimulationOptions options = stormy(seed);
    options.agents = 3;
    options.slots_per_agent = 2;
    options.agent_loss_seconds = 40;
    options.check_every = 1;
    options.later[60.0] = further_trials(20);
    const SimulationResult result = simulate(random_trials(60, seed), options);
    EXPECT_EQ(result.fault.value_or(""), "");
    EXPECT_EQ(result.left, 0);
    EXPECT_EQ(result.finished + static_cast<int>(result.failed.size()), 80);
  }
}

TEST(Simulation, TheSameSeedGivesTheSameRun) {
  const auto trials = random_trials(500, 4);
  const SimulationResult a = simulate(trials, stormy(4)), b = simulate(trials, stormy(4));
  EXPECT_EQ(a.makespan, b.makespan);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.failed, b.failed);
  EXPECT_NE(a.makespan, simulate(trials, stormy(5)).makespan);
}

TEST(Simulation, ManySlots) {
  SimulationOptions options;
  options.agents = 1000;
  options.slots_per_agent = 10;
  options.epoch_seconds = [](const TrialSpec& spec) { return 1.0 + spec.group % 7; };
  options.failure = mixed_failures();
  const SimulationResult result = simulate(random_trials(100'000, 7), options);
  EXPECT_EQ(result.fault.value_or(""), "");
  EXPECT_EQ(result.left, 0);
  EXPECT_EQ(result.finished + static_cast<int>(result.failed.size()), 100'000);
}

TEST(Simulation, AStopLeavesTheRestForTheNextRun) {
  SimulationOptions options = stormy(1);
  options.stop_at = 100;
  const SimulationResult result = simulate(random_trials(5'000, 1), options);
  EXPECT_EQ(result.fault.value_or(""), "");
  EXPECT_GT(result.left, 0);
  EXPECT_GT(result.finished, 0);
  EXPECT_EQ(result.finished + static_cast<int>(result.failed.size()) + result.left, 5'000);
}

// Longest first: no schedule is shorter than the mean load or the longest trial, and this one is
// at most one trial longer.
TEST(Simulation, TheMakespanIsNearItsLowerBound) {
  auto trials = random_trials(300, 11);
  double total = 0, longest = 0;
  for (TrialSpec& spec : trials) {
    spec.epoch_seconds = 1.0 + spec.group % 7;
    total += spec.epochs * spec.epoch_seconds;
    longest = std::max(longest, spec.epochs * spec.epoch_seconds);
  }
  for (const int slots : {1, 4, 16}) {
    const Prediction prediction = predict(trials, slots);
    const double makespan = prediction.makespan_seconds;
    EXPECT_EQ(prediction.slots, slots);
    EXPECT_LE(prediction.lower_bound_seconds, makespan * (1 + 1e-9));
    EXPECT_NEAR(prediction.slot_use * makespan * slots, total, 1e-6 * total);
    EXPECT_GE(makespan, std::max(total / slots, longest) * (1 - 1e-9));
    EXPECT_LE(makespan, total / slots + longest);
  }
  EXPECT_NEAR(predict(trials, 1).makespan_seconds, total, 1e-6 * total);
  EXPECT_NEAR(predict(trials, 1).lower_bound_seconds, total, 1e-6 * total);
  EXPECT_NEAR(predict(trials, 100000).lower_bound_seconds, predict(trials, 100000).makespan_seconds,
              1e-6 * total)
      << "the longest trial";
  EXPECT_THROW(predict(trials, 0), std::invalid_argument);
}

// ---- gangs

// As P2: a long, a middling and a short model, each with three seeds, of 100, 20 and 20 epochs.
std::vector<TrialSpec> like_p2() {
  std::vector<TrialSpec> trials;
  for (const auto& [group, epochs, seconds] :
       {std::tuple{0, 100, 230.0}, {1, 20, 570.0}, {2, 20, 115.0}})
    for (int seed = 0; seed < 3; ++seed) {
      TrialSpec spec;
      spec.trial = TrialId{static_cast<std::int64_t>(trials.size()) + 1};
      spec.group = group;
      spec.epochs = epochs;
      spec.declared_cost = epochs * seconds;
      spec.widest = 8;
      trials.push_back(spec);
    }
  return trials;
}

// 0.8 of 2, 0.62 of 4, 0.44 of 8.
double by_amdahl(const TrialSpec&, int members) {
  return 1 / (0.1 + 0.9 / members) * 0.92;
}

SimulationOptions eight_slots(bool gangs) {
  SimulationOptions options;
  options.slots_per_agent = 8;
  options.gangs.automatic = gangs;
  options.speed = by_amdahl;
  options.start_seconds = 2;
  options.message_seconds = 0.01;
  options.check_every = 1;
  return options;
}

TEST(SimulatedGangs, EndASweepSoonerAndNeverLater) {
  const auto trials = like_p2();
  const SimulationResult alone = simulate(trials, eight_slots(false));
  const SimulationResult together = simulate(trials, eight_slots(true));
  EXPECT_EQ(together.fault.value_or(""), "");
  EXPECT_EQ(together.finished, 9);
  EXPECT_GT(together.widened, 0);
  EXPECT_LT(together.makespan, 0.9 * alone.makespan);
  // Were a gang of n slots n times faster, all would be busy to the end, but for the first epochs,
  // which are measured alone, and the last ones.
  SimulationOptions perfect = eight_slots(true);
  perfect.speed = [](const TrialSpec&, int members) { return static_cast<double>(members); };
  double work = 0;
  for (const TrialSpec& spec : trials) work += spec.declared_cost;
  EXPECT_LT(simulate(trials, perfect).makespan, 1.05 * work / 8);
  EXPECT_GT(alone.makespan, 1.4 * work / 8);
  // Slots that gain nothing by helping are given back, and nothing is lost.
  SimulationOptions useless = eight_slots(true);
  useless.speed = [](const TrialSpec&, int) { return 0.9; };
  EXPECT_LT(simulate(trials, useless).makespan, 1.01 * alone.makespan);
}

TEST(SimulatedGangs, KeepTheRulesInAStorm) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    for (const GangPolicy policy : {GangPolicy{.automatic = true}, GangPolicy{.members = 3}}) {
      SCOPED_TRACE(seed);
      SimulationOptions options = stormy(seed);
      options.agents = 3;
      options.slots_per_agent = 3;
      options.agent_loss_seconds = 40;
      options.check_every = 1;
      options.gangs = policy;
      options.speed = by_amdahl;
      options.takes = [](const TrialSpec& spec) {
        return spec.trial.value % 3 == 0 ? Takes::threads : Takes::members;
      };
      auto trials = random_trials(30, seed);
      for (TrialSpec& spec : trials) {
        spec.widest = 4;
        spec.epochs += 5;
      }
      options.later[150.0] = further_trials(10);
      const SimulationResult result = simulate(trials, options);
      EXPECT_EQ(result.fault.value_or(""), "");
      EXPECT_EQ(result.left, 0);
      EXPECT_GT(result.widened, 0);
      EXPECT_EQ(result.finished + static_cast<int>(result.failed.size()), 40);
      for (const auto& [trial, kind] : result.failed)
        EXPECT_TRUE(kind != FailureKind::gang) << "trial " << trial.value;
    }
}

TEST(SimulatedGangs, AreInAPredictionWhereTheyWereMeasured) {
  auto trials = like_p2();
  const GangPolicy automatic{.automatic = true};
  EXPECT_EQ(predict(trials, 8, automatic).widened, 0) << "nothing is known of gangs";
  for (TrialSpec& spec : trials) {
    spec.epoch_seconds = spec.declared_cost / spec.epochs;
    for (const int members : {2, 4, 8})
      spec.gang_epoch_seconds[members] = spec.epoch_seconds / by_amdahl(spec, members);
  }
  const Prediction alone = predict(trials, 8), together = predict(trials, 8, automatic);
  EXPECT_EQ(alone.widened, 0);
  EXPECT_GT(together.widened, 0);
  EXPECT_LT(together.makespan_seconds, alone.makespan_seconds);
  EXPECT_GE(together.makespan_seconds, together.lower_bound_seconds);
}

}  // namespace
}  // namespace windrow::scheduler
