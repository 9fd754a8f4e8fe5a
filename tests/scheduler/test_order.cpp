// Which trial goes where, and when.
#include <numeric>

#include "orchestrator/scheduler/seed_waves.h"
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

TEST(Order, CostliestFirstThenGridOrder) {
  Bench bench;
  bench.add({1, 5, 3, 5});
  bench.join(0, 0, 4);
  EXPECT_EQ(bench.said(), (Said{"assign 2 to 0 (attempt 1)", "assign 4 to 1 (attempt 1)",
                                "assign 3 to 2 (attempt 1)", "assign 1 to 3 (attempt 1)"}));
}

TEST(Order, OneIsQueuedAheadAndNoMore) {
  Bench bench;
  bench.add({1, 1, 1, 1});
  bench.join(0, 0, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)", "assign 2 to 0 (attempt 1)"}));
  EXPECT_EQ(bench.phase(1), TrialPhase::queued);
  bench.start(0, 1);
  EXPECT_EQ(bench.said(), Said{});
  EXPECT_EQ(bench.phase(1), TrialPhase::running);
  bench.finish(0, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 3 to 0 (attempt 1)"}));
}

TEST(Order, EverySlotGetsOneBeforeAnyGetsTwo) {
  Bench bench;
  bench.add({1, 1, 1});
  bench.join(0, 0, 2);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 1)", "assign 2 to 1 (attempt 1)",
                                "assign 3 to 0 (attempt 1)"}));
}

TEST(Order, MeasuredSecondsGoBeforeDeclaredCost) {
  Bench bench;
  std::vector<TrialSpec> specs(2);
  specs[0] = {
      .trial = TrialId{1}, .group = 1, .declared_cost = 100, .epochs = 10, .epoch_seconds = 0.1};
  specs[1] = {
      .trial = TrialId{2}, .group = 2, .declared_cost = 1, .epochs = 10, .epoch_seconds = 7};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  EXPECT_EQ(bench.said().front(), "assign 2 to 0 (attempt 1)");
}

// Group and wave of trials 1, 2, ...; the groups' cost is their number.
void add_waves(Bench& bench, const std::vector<std::pair<int, int>>& trials) {
  std::vector<TrialSpec> specs;
  for (const auto& [group, wave] : trials)
    specs.push_back({.trial = TrialId{static_cast<std::int64_t>(specs.size() + 1)},
                     .group = group,
                     .declared_cost = static_cast<double>(group),
                     .epochs = 2,
                     .wave = wave});
  on_trials_added(bench.state, specs, bench.out);
}

TEST(Order, ALaterWaveWaitsForAllOfAnEarlierOneLongestFirstInEach) {
  Bench bench;
  add_waves(bench, {{1, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 1}});
  bench.join(0, 0, 5);
  EXPECT_EQ(bench.said(), (Said{"assign 3 to 0 (attempt 1)", "assign 1 to 1 (attempt 1)",
                                "assign 5 to 2 (attempt 1)", "assign 4 to 3 (attempt 1)",
                                "assign 2 to 4 (attempt 1)"}));
}

TEST(Order, WhatIsMeasuredCountsInWavesThatComeLater) {
  Bench bench;
  add_waves(bench, {{1, 0}, {2, 0}});
  bench.join(0, 0, 1);
  bench.start(0, 2);
  bench.epoch(0, 2, 1, 1);  // the costly one is quick
  std::vector<TrialSpec> specs = {
      {.trial = TrialId{7}, .group = 2, .declared_cost = 2, .epochs = 2, .wave = 3},
      {.trial = TrialId{8},
       .group = 5,
       .declared_cost = 1.9,
       .epochs = 1,
       .epoch_seconds = 9,
       .wave = 3}};
  on_trials_added(bench.state, specs, bench.out);
  bench.epoch(0, 2, 2, 1);
  bench.finish(0, 2);
  bench.start(0, 1);
  bench.finish(0, 1);
  const Said said = bench.said();
  EXPECT_EQ(said.back(), "assign 7 to 0 (attempt 1)");
  EXPECT_EQ(said[said.size() - 2], "assign 8 to 0 (attempt 1)");
}

TEST(Order, SeedsAreWavesInTheStudysOrder) {
  const SeedWaves waves({7, 3, 5}, Order::breadth);
  EXPECT_EQ(waves.of(7), 0);
  EXPECT_EQ(waves.of(5), 2);
  EXPECT_EQ(SeedWaves({7, 3}, Order::longest).of(3), 0);
  std::vector<std::int64_t> many(1000);
  std::iota(many.begin(), many.end(), 0);
  EXPECT_EQ(SeedWaves(many, Order::breadth).of(999), SeedWaves::kMost - 1);
}

TEST(Order, OnlyTheEpochsLeftCount) {
  Bench bench;
  std::vector<TrialSpec> specs(2);
  specs[0] = {
      .trial = TrialId{1}, .group = 1, .declared_cost = 10, .epochs = 10, .committed_epochs = 9};
  specs[1] = {.trial = TrialId{2}, .group = 2, .declared_cost = 5, .epochs = 10};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  EXPECT_EQ(bench.said().front(), "assign 2 to 0 (attempt 1)");
}

TEST(Order, WhatIsQueuedBehindALongTrialIsTakenBackForAVacantSlot) {
  Bench bench;
  bench.add({10, 9, 1}, 10);
  bench.join(0, 0, 2);
  bench.said();  // 1 and 2 run, 3 is queued behind 1 or 2
  const int behind = bench.state.slots[0].next ? 0 : 1;
  bench.start(0, 1);
  bench.start(1, 2);
  bench.finish(1 - behind, behind == 0 ? 2 : 1);
  EXPECT_EQ(bench.said(), (Said{"withdraw 3 from " + std::to_string(behind)}));
  bench.give_back(behind, 3);
  EXPECT_EQ(bench.said(), (Said{"assign 3 to " + std::to_string(1 - behind) + " (attempt 1)"}));
}

TEST(Order, AWithdrawalThatComesTooLateChangesNothing) {
  Bench bench;
  bench.add({10, 9, 1}, 10);
  bench.join(0, 0, 2);
  bench.said();
  const int behind = bench.state.slots[0].next ? 0 : 1;
  const int ahead = behind == 0 ? 1 : 2;
  bench.start(0, 1);
  bench.start(1, 2);
  bench.finish(1 - behind, behind == 0 ? 2 : 1);
  bench.said();
  bench.finish(behind, ahead);  // crossed the withdrawal on its way
  bench.start(behind, 3);
  EXPECT_EQ(bench.phase(3), TrialPhase::running);
  bench.finish(behind, 3);
  EXPECT_TRUE(all_over(bench.state));
}

TEST(Order, TrialsThatComeLaterAreTakenUpAndKnownOnesSkipped) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.said();
  bench.add({1});
  EXPECT_EQ(bench.said(), (Said{"assign 2 to 1 (attempt 1)"}));
  const std::vector<TrialSpec> again = {{.trial = TrialId{1}}};
  on_trials_added(bench.state, again, bench.out);
  EXPECT_EQ(bench.said(), Said{});
}

TEST(Order, AttemptsOfEarlierRunsAreCountedOn) {
  Bench bench;
  const std::vector<TrialSpec> specs = {{.trial = TrialId{1}, .attempts = 4}};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 5)"}));
}

}  // namespace
}  // namespace windrow::scheduler
