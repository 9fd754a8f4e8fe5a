// What is tried again, where, and when it is given up.
#include "tests/scheduler/bench.h"

namespace windrow::scheduler {
namespace {

// Fails trial 1 of a bench with one slot until it is given up; returns the number of attempts, or
// `limit` where it never is.
int attempts_until_failed(FailureKind kind, int limit = 50) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  for (int attempt = 1; attempt < limit; ++attempt) {
    bench.rest_over(0);
    bench.start(0, 1, attempt);
    bench.fail(0, 1, attempt, kind);
    if (bench.phase(1) == TrialPhase::failed) return attempt;
  }
  return limit;
}

TEST(Failures, EachKindHasItsBudget) {
  EXPECT_EQ(attempts_until_failed(FailureKind::nan), 1);
  EXPECT_EQ(attempts_until_failed(FailureKind::spec), 1);
  EXPECT_EQ(attempts_until_failed(FailureKind::oom), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::hang), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::data), 2);
  EXPECT_EQ(attempts_until_failed(FailureKind::crash), 3);
  EXPECT_EQ(attempts_until_failed(FailureKind::cuda), 3);
  EXPECT_EQ(attempts_until_failed(FailureKind::node), 50);
  EXPECT_EQ(attempts_until_failed(FailureKind::preempted), 50);
}

TEST(Failures, OfEarlierRunsCount) {
  Bench bench;
  const std::vector<TrialSpec> specs = {
      {.trial = TrialId{1}, .attempts = 2, .failures = {{FailureKind::crash, 2}}}};
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  bench.start(0, 1, 3);
  bench.said();
  bench.fail(0, 1, 3, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"trial 1 failed", "slot 0 rests 1 s"}));
}

TrialSpec charged_earlier(std::vector<std::string> hosts) {
  TrialSpec spec{.trial = TrialId{1}, .epochs = 3};
  for (const std::string& host : hosts)
    spec.charges.push_back({++spec.attempts, FailureKind::crash, host});
  spec.failures = {{FailureKind::crash, spec.attempts}};
  return spec;
}

// The run was interrupted before the trial was tried elsewhere.
TEST(Failures, OfEarlierRunsAreTakenBackWhenTheTrialDoesWellOnAnotherHost) {
  Bench bench;
  on_trials_added(bench.state, std::vector{charged_earlier({"n1", "n1"})}, bench.out);
  bench.join(0, 0, 1, "n1");
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 3)"}));  // there is no other
  bench.lose(0);
  bench.join(1, 1, 2, "n1");
  bench.said();
  bench.give_back(1, 1, 3);
  bench.join(2, 3, 1, "n2");
  bench.said();
  bench.lose(1);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 3 (attempt 3)"}));
  bench.start(3, 1, 3);
  bench.epoch(3, 1, 1, 1, 3);
  EXPECT_EQ(bench.said(), (Said{"trial 1 forgiven 1", "trial 1 forgiven 2"}));
}

TEST(Failures, OfEarlierRunsAreAvoidedWhereThereIsAnotherHost) {
  Bench bench;
  bench.join(0, 0, 1, "n1");
  bench.join(1, 1, 1, "n2");
  on_trials_added(bench.state, std::vector{charged_earlier({"n1"})}, bench.out);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)"}));
  bench.start(1, 1, 2);
  bench.fail(1, 1, 2, FailureKind::crash);  // here too: it is the trial
  EXPECT_EQ(bench.said(), (Said{"slot 1 rests 1 s", "assign 1 to 0 (attempt 3)"}));
  bench.start(0, 1, 3);
  bench.epoch(0, 1, 1, 1, 3);
  EXPECT_EQ(bench.said(), (Said{"trial 1 forgiven 2"}));
}

TEST(Failures, ACrashIsTriedOnAnotherSlot) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.start(0, 1);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s", "assign 1 to 1 (attempt 2)"}));
}

// A process that outlives SIGKILL costs the slot too.
TEST(Failures, OfASlotThatIsLostIsTriedOnAnotherOfItsOnlyAgent) {
  Bench bench;
  bench.add({1, 1, 1, 1});
  bench.join(0, 0, 2);
  bench.said();
  bench.start(0, 1);
  bench.start(1, 2);
  bench.fail(0, 1, 1, FailureKind::hang);
  on_slot_lost(bench.state, SlotId{0}, "its process outlives SIGKILL", bench.out);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s", "slot 0 drained", "withdraw 3 from 0"}));
  bench.give_back(0, 3);
  bench.finish(1, 2);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 1 (attempt 2)"}));
}

TEST(Failures, ASlotThatIsLostIsNoOtherPlace) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.start(0, 1);
  on_slot_lost(bench.state, SlotId{1}, "its process outlives SIGKILL", bench.out);
  bench.fail(0, 1, 1, FailureKind::crash);
  bench.said();
  bench.rest_over(0);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 2)"}));
}

TEST(Failures, OfTheOnlySlotIsTriedThereAgain) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s"}));
  bench.rest_over(0);
  EXPECT_EQ(bench.said(), (Said{"assign 1 to 0 (attempt 2)"}));
}

TEST(Failures, ASlotThatFailsEverythingIsDrainedAndTheTrialsAreNotBlamed) {
  Bench bench;
  bench.add(std::vector<double>(20, 1));
  bench.join(0, 0, 2);
  // Slot 0 fails all it gets, slot 1 finishes all.
  for (int round = 0; round < 100 && !all_over(bench.state); ++round) {
    for (const int s : {0, 1}) {
      bench.rest_over(s);
      const Slot& slot = bench.state.slots[static_cast<std::size_t>(s)];
      if (!slot.current) continue;
      const int trial = static_cast<int>(
          bench.state.trials[static_cast<std::size_t>(slot.current.trial)].id.value);
      const int attempt = slot.current.attempt;
      bench.start(s, trial, attempt);
      if (s == 0)
        bench.fail(s, trial, attempt, FailureKind::crash);
      else
        bench.finish(s, trial, attempt);
    }
  }
  EXPECT_TRUE(bench.state.slots[0].drained);
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 20);
  EXPECT_EQ(slots_in_service(bench.state), 1);
}

TEST(Failures, AnAttemptMayFailBeforeItStarted) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 2);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s", "assign 1 to 1 (attempt 2)"}));
}

// ---- blame

// Runs all that is assigned: an attempt on a slot of which `fails` is true fails, others finish.
template <class Fails>
void run(Bench& bench, int slots, Fails fails) {
  for (int round = 0; round < 1000 && !all_over(bench.state) && !bench.state.stopping; ++round) {
    for (int s = 0; s < slots; ++s) {
      bench.rest_over(s);
      const Slot& slot = bench.state.slots[static_cast<std::size_t>(s)];
      if (!slot.current) continue;
      const int trial = static_cast<int>(
          bench.state.trials[static_cast<std::size_t>(slot.current.trial)].id.value);
      const int attempt = slot.current.attempt;
      bench.start(s, trial, attempt);
      if (fails(s, trial))
        bench.fail(s, trial, attempt, FailureKind::crash);
      else
        bench.finish(s, trial, attempt);
    }
  }
}

TEST(Blame, ARetryGoesToAnotherAgentBeforeAnotherSlot) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 4);
  bench.join(1, 4, 1);
  bench.start(0, 1);
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s", "assign 1 to 4 (attempt 2)"}));
}

TEST(Blame, AnotherAgentOfTheSameHostIsNoOtherPlace) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1, "n1");
  bench.start(0, 1);
  bench.join(1, 1, 1, "n1");
  bench.join(2, 2, 1, "n2");
  bench.said();
  bench.fail(0, 1, 1, FailureKind::crash);
  EXPECT_EQ(bench.said(), (Said{"slot 0 rests 1 s", "assign 1 to 2 (attempt 2)"}));
}

TEST(Blame, AnAgentThatFailsEverythingFailsNoTrial) {
  Bench bench;
  bench.add(std::vector<double>(60, 1));
  bench.join(0, 0, 8);
  bench.join(1, 8, 8);
  run(bench, 16, [](int slot, int) { return slot >= 8; });
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 60);
  EXPECT_EQ(count(bench.state, TrialPhase::failed), 0);
  EXPECT_EQ(slots_in_service(bench.state), 8);
}

TEST(Blame, TheOnlyAgentThatTakesTrialsIsNotDrained) {
  Bench bench({.slot_failures_in_a_row = 2});
  bench.add({2, 1});
  bench.join(0, 0, 2);
  bench.join(1, 2, 1);
  bench.start(0, 1);
  bench.start(1, 2);
  bench.fail(0, 1, 1, FailureKind::crash);
  bench.start(2, 1, 2);
  bench.epoch(2, 1, 1, 1.0, 2);
  bench.fail(1, 2, 1, FailureKind::crash);
  bench.finish(2, 1, 2);
  bench.start(2, 2, 2);
  on_slot_closing(bench.state, SlotId{2}, bench.out);  // it takes no more after this one
  bench.said();
  bench.epoch(2, 2, 1, 1.0, 2);
  EXPECT_EQ(bench.said(), (Said{"trial 2 forgiven 1"}));
}

// An epoch that was trained elsewhere, and is reported only now, is no sign that the trial does
// well here: the place where it failed before is not to blame for that.
TEST(Blame, AnEpochOutOfACheckpointAcquitsNobody) {
  Bench bench;
  bench.add({1}, 10);
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);
  bench.start(0, 1);
  bench.epoch(0, 1, 2, 1.0);
  bench.fail(0, 1, 1, FailureKind::crash);
  on_attempt_started(bench.state, SlotId{1}, TrialId{1}, 2, bench.out, Takes::nothing, 3);
  bench.said();
  bench.epoch(1, 1, 3, 1.0, 2);
  EXPECT_EQ(bench.said(), Said{});
  bench.epoch(1, 1, 4, 1.0, 2);
  EXPECT_EQ(bench.said(), (Said{"trial 1 forgiven 1"}));
}

// Nor is one that is trained again, as far as the trial came before.
TEST(Blame, AnEpochThatIsTrainedAgainAcquitsNobody) {
  Bench bench;
  bench.add({1}, 10);
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);
  bench.start(0, 1);
  for (const int epoch : {1, 2}) bench.epoch(0, 1, epoch, 1.0);
  bench.fail(0, 1, 1, FailureKind::crash);
  bench.start(1, 1, 2);
  bench.said();
  for (const int epoch : {1, 2}) bench.epoch(1, 1, epoch, 1.0, 2);
  EXPECT_EQ(bench.said(), Said{});
  bench.epoch(1, 1, 3, 1.0, 2);
  EXPECT_EQ(bench.said(), (Said{"trial 1 forgiven 1"}));
}

// A host that was bad for a while is drained; then the other one breaks.
TEST(Blame, WhereAllThatIsLeftFailsTheDrainedGetTrialsAgain) {
  Bench bench;
  bench.add(std::vector<double>(60, 1));
  bench.join(0, 0, 4);
  bench.join(1, 4, 4);
  bool other_is_bad = false;
  run(bench, 8, [&](int slot, int) {
    other_is_bad = other_is_bad || slots_in_service(bench.state) == 4;
    return other_is_bad ? slot >= 4 : slot < 4;
  });
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 60);
  EXPECT_EQ(slots_in_service(bench.state), 4);
  EXPECT_TRUE(bench.state.slots[0].in_service());
}

// A worker whose slot is drained has no time left, either.
TEST(Blame, ADrainedSlotThatClosesIsNotTakenBack) {
  Bench bench;
  bench.add(std::vector<double>(30, 1));
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);
  bool other_is_bad = false;
  run(bench, 2, [&](int slot, int) {
    if (!other_is_bad && slots_in_service(bench.state) == 1) {
      on_slot_closing(bench.state, SlotId{0}, bench.out);
      other_is_bad = true;
    }
    return other_is_bad ? slot == 1 : slot == 0;
  });
  EXPECT_FALSE(bench.state.slots[0].in_service());
}

// The same of two devices of a host.
TEST(Blame, ADrainedSlotGetsTrialsAgainWhereTheOnlyOtherOneFails) {
  Bench bench;
  bench.add(std::vector<double>(30, 1));
  bench.join(0, 0, 2);
  bool other_is_bad = false;
  run(bench, 2, [&](int slot, int) {
    other_is_bad = other_is_bad || slots_in_service(bench.state) == 1;
    return other_is_bad ? slot == 1 : slot == 0;
  });
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 30);
}

TEST(Blame, ASlotThatIsGoneIsNotTakenBack) {
  Bench bench({.slot_failures_in_a_row = 2});
  bench.add({4, 3, 2, 1});
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);
  on_slot_lost(bench.state, SlotId{0}, "its process does not end", bench.out);
  for (int round = 0; round < 6 && !bench.state.stopping; ++round) {
    const Slot& slot = bench.state.slots[1];
    if (!slot.current) break;
    const int trial = static_cast<int>(bench.state.trials[slot.current.trial].id.value);
    bench.fail(1, trial, slot.current.attempt, FailureKind::crash);
    bench.rest_over(1);
  }
  EXPECT_FALSE(bench.state.slots[0].in_service());
}

TEST(Blame, OfFourAgentsThreeMayBeBad) {
  Bench bench;
  bench.add(std::vector<double>(60, 1));
  for (int agent = 0; agent < 4; ++agent) bench.join(agent, 2 * agent, 2);
  run(bench, 8, [](int slot, int) { return slot >= 2; });
  EXPECT_EQ(count(bench.state, TrialPhase::failed), 0);
}

TEST(Blame, CellsThatCrashEverywhereAreFailedAndDrainNothing) {
  Bench bench;
  bench.add(std::vector<double>(40, 1));
  bench.join(0, 0, 4);
  bench.join(1, 4, 4);
  run(bench, 8, [](int, int trial) { return trial <= 10; });  // the first ones
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 30);
  EXPECT_EQ(count(bench.state, TrialPhase::failed), 10);
  EXPECT_EQ(slots_in_service(bench.state), 8);
}

TEST(Blame, WhereEverythingFailsAlikeTheRunStopsAndNobodyIsCharged) {
  for (const int slots : {1, 2, 8}) {
    Bench bench;
    bench.add(std::vector<double>(100, 1));
    bench.join(0, 0, slots);
    run(bench, slots, [done = 0](int, int) mutable { return ++done > 20; });  // the script is gone
    EXPECT_TRUE(bench.state.stopping) << slots;
    EXPECT_EQ(count(bench.state, TrialPhase::failed), 0) << slots;
    for (const Trial& trial : bench.state.trials)
      EXPECT_EQ(trial.failures[static_cast<std::size_t>(FailureKind::crash)], 0);
  }
}

TEST(Blame, SlotsThatFailInDifferentWaysDontStopTheRun) {
  for (const auto& [first, second] : {std::pair{FailureKind::crash, FailureKind::cuda},
                                      std::pair{FailureKind::cuda, FailureKind::crash}}) {
    Bench bench;
    bench.add(std::vector<double>(20, 1));
    bench.join(0, 0, 2);
    for (int round = 0; round < 3; ++round)
      for (const int index : {0, 1}) {
        const Slot& slot = bench.state.slots[static_cast<std::size_t>(index)];
        if (!slot.current) continue;
        const Trial& trial = bench.state.trials[static_cast<std::size_t>(slot.current.trial)];
        const int id = static_cast<int>(trial.id.value), attempt = slot.current.attempt;
        bench.start(index, id, attempt);
        bench.fail(index, id, attempt, index == 0 ? first : second);
      }
    EXPECT_FALSE(bench.state.stopping);
  }
}

TEST(Blame, TrialsWithWhichRunsWereStoppedComeLastAndAreChargedInTheEnd) {
  Bench bench;
  std::vector<TrialSpec> specs;
  for (int i = 1; i <= 5; ++i)
    specs.push_back({.trial = TrialId{i}, .group = i, .stopped_runs = i <= 4 ? 2 : 0});
  on_trials_added(bench.state, specs, bench.out);
  bench.join(0, 0, 1);
  EXPECT_EQ(bench.said()[0], "assign 5 to 0 (attempt 1)");
  run(bench, 1, [](int, int trial) { return trial <= 4; });
  EXPECT_EQ(count(bench.state, TrialPhase::failed), 4);
  EXPECT_EQ(count(bench.state, TrialPhase::finished), 1);
}

class LastTrials : public testing::Test {
 protected:
  // Until one of `trials` trials is failed or the run stops: "stopped", "failed".
  std::string end_of_run(int trials, const TrialSpec& like, bool others_train = false) {
    Bench bench;
    on_trainers_known(bench.state);
    std::vector<TrialSpec> specs;
    for (int id = 1; id <= trials; ++id) {
      TrialSpec spec = like;
      spec.trial = TrialId{id};
      specs.push_back(spec);
    }
    on_trials_added(bench.state, specs, bench.out);
    bench.join(0, 0, 4);
    if (others_train) bench.finish(1, 2);
    int failed = 0;
    for (int round = 0; round < 20 && failed == 0 && !bench.state.stopping; ++round)
      for (int slot = 0; slot < 4; ++slot) {
        bench.rest_over(slot);
        const Assignment has = bench.state.slots[static_cast<std::size_t>(slot)].current;
        if (!has) continue;
        const TrialId id = bench.state.trials[static_cast<std::size_t>(has.trial)].id;
        bench.start(slot, static_cast<int>(id.value), has.attempt);
        bench.fail(slot, static_cast<int>(id.value), has.attempt, FailureKind::crash);
        failed = count(bench.state, TrialPhase::failed);
      }
    return bench.state.stopping ? "stopped" : failed > 0 ? "failed" : "goes on";
  }
};

TEST_F(LastTrials, OfAStudyThatWasTrainedBeforeAreNotChargedWhereNothingCanBeTrainedNow) {
  EXPECT_EQ(end_of_run(1, {}), "stopped");
  EXPECT_EQ(end_of_run(2, {}), "stopped");
  EXPECT_EQ(end_of_run(1, {.epochs = 9, .committed_epochs = 3, .attempts = 1}), "stopped");
  EXPECT_EQ(end_of_run(1, {.attempts = 3, .stopped_runs = 1}), "stopped");
  const std::map<FailureKind, int> interrupted = {{FailureKind::preempted, 2},
                                                  {FailureKind::node, 1}};
  EXPECT_EQ(end_of_run(1, {.attempts = 3, .failures = interrupted}), "stopped");
}

TEST_F(LastTrials, AreChargedWhereOthersTrainOrTheyFailedBefore) {
  EXPECT_EQ(end_of_run(2, {}, true), "failed");
  EXPECT_EQ(end_of_run(1, {.attempts = 3}), "failed") << "and were taken up again by `retry`";
  EXPECT_EQ(end_of_run(1, {.attempts = 3, .failures = {{FailureKind::preempted, 2}}}), "failed");
  EXPECT_EQ(end_of_run(1, {.attempts = 1, .failures = {{FailureKind::crash, 1}}}), "failed");
  EXPECT_EQ(end_of_run(1, {.attempts = 6, .stopped_runs = 2}), "failed");
}

TEST(Blame, EpochsThatOnlyRepeatDontAcquitATrialThatAlwaysFailsAtTheSamePlace) {
  Bench bench;
  bench.add({1}, 3);
  bench.join(0, 0, 2);
  int attempt = 1;
  for (; attempt < 50 && bench.phase(1) != TrialPhase::failed; ++attempt) {
    for (const int slot : {0, 1}) {
      bench.rest_over(slot);
      if (!bench.state.slots[static_cast<std::size_t>(slot)].current) continue;
      bench.start(slot, 1, attempt);
      bench.epoch(slot, 1, 1, 1.0, attempt);  // it has no checkpoint, and begins with epoch 1
      bench.fail(slot, 1, attempt, FailureKind::crash);
      break;
    }
  }
  EXPECT_EQ(attempt, 4);
}

TEST(Blame, AFailureAtASlotThatWorksLetsNobodyWait) {
  Bench bench;
  bench.add({1, 1, 1, 1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.finish(0, 1);
  bench.said();
  bench.start(0, 2);
  bench.fail(0, 2, 1, FailureKind::crash);
  for (const std::string& text : bench.said()) EXPECT_EQ(text.find("rests"), std::string::npos);
}

TEST(Blame, TheRestsGrowToAMinute) {
  Bench bench;
  bench.add(std::vector<double>(100, 1));
  bench.join(0, 0, 1);
  bench.join(1, 1, 1);  // whose first trial runs all the time
  bench.start(1, 2);
  std::vector<std::string> rests;
  for (int i = 0; i < 9; ++i) {
    const Slot& slot = bench.state.slots[0];
    const int trial =
        static_cast<int>(bench.state.trials[static_cast<std::size_t>(slot.current.trial)].id.value);
    bench.said();
    bench.fail(0, trial, slot.current.attempt, FailureKind::crash);
    while (bench.state.slots[0].current) {  // what was queued behind it
      const Slot& now = bench.state.slots[0];
      bench.fail(0,
                 static_cast<int>(
                     bench.state.trials[static_cast<std::size_t>(now.current.trial)].id.value),
                 now.current.attempt, FailureKind::crash);
    }
    for (const std::string& text : bench.said())
      if (text.find("slot 0 rests") == 0) rests.push_back(text);
    bench.rest_over(0);
  }
  EXPECT_EQ(rests.front(), "slot 0 rests 1 s");
  EXPECT_EQ(rests.back(), "slot 0 rests 60 s");
}

TEST(Blame, ALostSlotGetsNothingMore) {
  Bench bench;
  bench.add({1});
  bench.join(0, 0, 1);
  bench.start(0, 1);
  bench.fail(0, 1, 1, FailureKind::hang);
  bench.said();
  on_slot_lost(bench.state, SlotId{0}, "it outlives SIGKILL", bench.out);
  EXPECT_EQ(bench.said(), (Said{"slot 0 drained"}));
}

TEST(Failures, OfMemoryThatSlotsShareCostTheSlotAndNotTheTrial) {
  Bench bench;
  bench.add({2, 1}, 5);
  bench.join(0, 0, 2);
  bench.start(0, 1);
  bench.start(1, 2);
  bench.said();
  on_attempt_failed(bench.state, SlotId{0}, TrialId{1}, 1,
                    {.kind = FailureKind::oom, .crowded = "its GPU"}, bench.out);
  EXPECT_EQ(bench.said(),
            (Said{"trial 1 forgiven 1", "slot 0 drained", "assign 1 to 1 (attempt 2)"}));
  EXPECT_EQ(bench.state.trials[0].failures[static_cast<std::size_t>(FailureKind::oom)], 0);
}

class TimeTest : public testing::TestWithParam<FailureKind> {};
INSTANTIATE_TEST_SUITE_P(Ends, TimeTest,
                         testing::Values(FailureKind::preempted, FailureKind::crash));

TEST_P(TimeTest, NothingIsAssignedOfWhichAnEpochWouldEndTooLate) {
  Bench bench;
  bench.add({1, 2}, 5);
  on_time_left(bench.state, 100, bench.out);
  bench.join(0, 0, 1);
  bench.start(0, 2);
  for (int epoch = 1; epoch <= 5; ++epoch) bench.epoch(0, 2, epoch, 30);
  bench.finish(0, 2);
  bench.start(0, 1);
  bench.epoch(0, 1, 1, 30);
  on_time_left(bench.state, 20, bench.out);
  bench.said();
  bench.fail(0, 1, 1, GetParam());
  bench.rest_over(0);
  for (const std::string& text : bench.said()) EXPECT_EQ(text.find("assign"), std::string::npos);
  EXPECT_TRUE(out_of_time(bench.state));
}

TEST(Time, IsUpWithoutASlotToo) {
  Bench bench;  // whose workers have left
  bench.add({1});
  on_time_left(bench.state, 5, bench.out);
  EXPECT_FALSE(out_of_time(bench.state)) << "another one may come";
  on_time_left(bench.state, 0, bench.out);
  EXPECT_TRUE(out_of_time(bench.state));
}

}  // namespace
}  // namespace windrow::scheduler
