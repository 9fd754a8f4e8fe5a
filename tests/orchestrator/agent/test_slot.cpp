// The slot's state machine by its events.
#include <csignal>

#include "tests/orchestrator/agent/slot_machine.h"

namespace windrow::slot {
namespace {

using namespace protocol;
using test::Machine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr bool kPersistent = true, kProcess = false;

Started started(int trial, int attempt = 1) {
  return {.trial = TrialId{trial}, .attempt = attempt};
}
Epoch epoch(int trial, int number) {
  return {.trial = TrialId{trial}, .epoch = number, .wall_seconds = 1};
}
Finished finished(int trial, int epochs = 1) {
  return {.trial = TrialId{trial}, .epochs = epochs};
}

// ---- a persistent trainer

TEST(Slot, APersistentTrainerServesTrialAfterTrial) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  EXPECT_EQ(slot.take<Spawn>().size(), 1u);
  slot.ready();
  slot.says(started(1));
  slot.says(epoch(1, 1));
  slot.says(finished(1));
  slot.says(started(2));
  slot.says(finished(2));
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
  EXPECT_EQ(slot.reports<AttemptFinished>().size(), 2u);
  EXPECT_THAT(slot.take<Spawn>(), IsEmpty());
  EXPECT_TRUE(is_idle(slot.state));
}

TEST(Slot, WordsOfAnAttemptThatIsOverOrIsAnothersCountForNothing) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2, 2);
  slot.ready();
  slot.says(started(1));
  slot.says(finished(1));
  slot.says(started(2, 2));
  slot.out.clear();
  for (const auto& [trial, attempt] : {std::pair{1, 1}, {2, 1}}) {
    const TrialId id{trial};
    slot.says(started(trial, attempt));
    slot.says(Epoch{.trial = id, .attempt = attempt, .epoch = 1, .wall_seconds = 1});
    slot.says(Failed{.trial = id, .attempt = attempt, .kind = TrainerFailure::crash});
    slot.says(Stopped{.trial = id, .attempt = attempt});
    slot.says(Finished{.trial = id, .attempt = attempt, .epochs = 1});
  }
  EXPECT_THAT(slot.out, IsEmpty());
  slot.says(Finished{.trial = TrialId{2}, .attempt = 2, .epochs = 1});
  EXPECT_EQ(slot.reports<AttemptFinished>().at(0).finished.trial, TrialId{2});
}

TEST(Slot, AnAttemptTookWhatTheTrainerSaysOrElseWhatTheClockSays) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  slot.ready();
  slot.says(started(1));
  slot.wait(3);
  slot.says(Finished{.trial = TrialId{1}, .epochs = 1, .wall_seconds = 20});
  slot.says(started(2));
  slot.wait(4);
  slot.says(Finished{.trial = TrialId{2}, .epochs = 1});
  const auto ended = slot.reports<AttemptFinished>();
  EXPECT_EQ(ended.at(0).finished.wall_seconds, 20);
  EXPECT_NEAR(ended.at(1).finished.wall_seconds, 4, 0.01);
}

TEST(Slot, TheFolderOfATrialIsTakenBeforeItBeginsAndLeftAtItsEnd) {
  Machine slot(kPersistent);
  slot.assign({.trial = TrialId{1}, .checkpoint_dir = "/c/1"});
  slot.ready();
  EXPECT_EQ(slot.take<TakeFolder>().at(0).folder, "/c/1");
  EXPECT_THAT(slot.started_trials(), IsEmpty());
  slot.event([&] { on_folder_taken(slot.state, false, slot.now, slot.out); });
  EXPECT_THAT(slot.started_trials(), ElementsAre(1));
  slot.event([&] { on_folder_taken(slot.state, false, slot.now, slot.out); });  // it is known
  EXPECT_THAT(slot.started_trials(), ElementsAre(1));
  slot.says(finished(1));
  EXPECT_EQ(slot.take<LeaveFolder>().size(), 1u);
}

// Processes of an earlier attempt that never end.
TEST(Slot, AFolderThatIsNeverFreeIsWaitedForSoLongAndNoLonger) {
  for (const bool persistent : {true, false}) {
    Machine slot(persistent);
    slot.assign({.trial = TrialId{1}, .checkpoint_dir = "/c/1"});
    if (persistent) slot.ready();
    for (int minute = 0; minute < 10; ++minute) {
      EXPECT_THAT(slot.signals(), IsEmpty()) << minute;
      slot.event([&] { on_folder_busy(slot.state, "n1", slot.now, slot.out); });
      slot.wait(60);
    }
    slot.wait(1);
    EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
    slot.event([&] { on_folder_taken(slot.state, false, slot.now, slot.out); });  // too late
    EXPECT_EQ(slot.started_trials().size(), persistent ? 0U : 1U);
    slot.dies(SIGKILL);
    const AttemptFailed failed = slot.reports<AttemptFailed>().at(0);
    EXPECT_EQ(failed.kind, FailureKind::node);
    EXPECT_THAT(failed.message, HasSubstr("hold /c/1 for 600 s"));
    EXPECT_EQ(slot.reports<AttemptWarning>().size(), 1u);
  }
}

TEST(Slot, ACancelledAttemptIsEndedAndTheNextOneBegins) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  slot.ready();
  slot.says(started(1));
  slot.cancel(7);  // of another trial: nothing
  EXPECT_THAT(slot.signals(), IsEmpty());
  slot.cancel(1);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::cancelled);
  slot.ready();
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
}

TEST(Slot, ACancelledProgramMayEndWellFirst) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  slot.cancel(1);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGTERM));
  slot.exits(0);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::cancelled);
}

TEST(Slot, WhatIsCancelledInTheQueueGoesBack) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  slot.ready();
  slot.cancel(2);
  EXPECT_EQ(slot.reports<Withdrawn>().at(0).trial, TrialId{2});
  EXPECT_THAT(slot.signals(), IsEmpty());
}

TEST(Slot, ToWaitForAnEarlierAttemptsProcessesIsNoHang) {
  Machine slot(kPersistent);
  slot.state.settings.trainer.hang_seconds = 5;
  slot.assign({.trial = TrialId{1}, .checkpoint_dir = "/c/1"});
  slot.ready();
  slot.event([&] { on_folder_busy(slot.state, "node7, process 42", slot.now, slot.out); });
  slot.wait(60);
  EXPECT_THAT(slot.signals(), IsEmpty());
  EXPECT_THAT(slot.reports<AttemptWarning>().at(0).text,
              HasSubstr("earlier attempt to end (node7, process 42)"));
  slot.event([&] { on_folder_taken(slot.state, true, slot.now, slot.out); });
  EXPECT_THAT(slot.started_trials(), ElementsAre(1));
}

// A program that takes one trial and leaves: its exit is not the next trial's failure.
TEST(Slot, AnAttemptOfWhichTheTrainerSaidNothingBeginsAgainWhenItsProcessEnds) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  slot.ready();
  slot.says(started(1));
  slot.says(finished(1));
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
  slot.exits(0);
  EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
  EXPECT_EQ(slot.take<Spawn>().size(), 2u);
  slot.ready();
  slot.says(started(2));
  slot.says(finished(2));
  EXPECT_EQ(slot.reports<AttemptFinished>().size(), 2u);
}

TEST(Slot, ATrialInBetweenThatGoesWellIsNotInARow) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.exits(0);
  slot.ready();
  slot.says(finished(1));
  slot.assign(2);
  slot.exits(0);
  EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
  slot.ready();
  slot.says(finished(2));
  EXPECT_EQ(slot.reports<AttemptFinished>().size(), 2u);
}

TEST(Slot, TwiceInARowIsTheSlotsFailure) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.exits(1);
  slot.ready();
  slot.exits(1);
  const AttemptFailed failed = slot.reports<AttemptFailed>().at(0);
  EXPECT_EQ(failed.reached, Reached::ready);
  EXPECT_EQ(failed.kind, FailureKind::crash);
  EXPECT_EQ(slot.state.phase, Phase::empty);
}

TEST(Slot, ATrainerThatEndsBeforeItIsReadyFailsTheTrialThatWaits) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.spawned();
  slot.exits(5);
  const AttemptFailed failed = slot.reports<AttemptFailed>().at(0);
  EXPECT_EQ(failed.reached, Reached::nothing);
  EXPECT_EQ(failed.exit_code, 5);
  EXPECT_THAT(failed.message, HasSubstr("before it said ready"));
}

TEST(Slot, ATrainerThatNeverSaysReadyIsKilledAndTheAttemptIsOverWhenItIsGone) {
  Machine slot(kPersistent);
  slot.state.settings.trainer.ready_seconds = 5;
  slot.assign(1);
  slot.spawned();
  slot.wait(6);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
  slot.dies(SIGKILL);
  EXPECT_THAT(slot.reports<AttemptFailed>().at(0).message, HasSubstr("did not say ready"));
}

TEST(Slot, ABadTrialsProcessIsReplacedAndTheFailureIsTheTrainersWord) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.assign(2);
  slot.ready();
  slot.says(started(1));
  slot.says(Failed{TrialId{1}, 1, TrainerFailure::oom, "no memory"});
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  const AttemptFailed failed = slot.reports<AttemptFailed>().at(0);
  EXPECT_EQ(failed.kind, FailureKind::oom);
  EXPECT_EQ(failed.signal, std::nullopt);
  slot.ready();
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
}

TEST(Slot, ATrainerThatStopsUnaskedCrashed) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.says(Stopped{TrialId{1}, 1});
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::crash);
}

// Most close it by ending, and then the exit tells more.
TEST(Slot, ATrainerThatClosesItsOutputAndLivesOnIsEnded) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.event([&] { on_output_closed(slot.state, slot.now); });
  EXPECT_THAT(slot.signals(), IsEmpty());
  slot.wait(11);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_THAT(slot.reports<AttemptFailed>().at(0).message, HasSubstr("standard output"));
}

// ---- a process a trial

TEST(Slot, AProcessATrial) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.assign(2);
  slot.spawned();
  slot.prints(1, {{"loss", 1}});
  slot.prints(2, {{"loss", 0.5}});
  slot.exits(0);
  const AttemptFinished first = slot.reports<AttemptFinished>().at(0);
  EXPECT_EQ(first.finished.epochs, 2);
  slot.spawned();
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
}

TEST(Slot, TheTimeOfAnEpochIsMeasuredWhereTheProgramDoesNotSayIt) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  slot.wait(2);
  slot.prints(1, {{"loss", 1}});
  slot.wait(1);
  slot.prints(1, {{"val_loss", 1}});  // the same epoch's second line
  slot.wait(4);
  slot.prints(2, {{"loss", 1}});
  const auto epochs = slot.reports<AttemptEpoch>();
  EXPECT_NEAR(epochs.at(0).epoch.wall_seconds, 2, 0.1);
  EXPECT_NEAR(epochs.at(1).epoch.wall_seconds, 3, 0.1);
  EXPECT_NEAR(epochs.at(2).epoch.wall_seconds, 4, 0.1);
}

TEST(Slot, ExitCode0WithoutAWordFailsTheTrialAndSaysHowToReport) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  slot.exits(0);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::spec);
  EXPECT_THAT(slot.reports<AttemptFailed>().at(0).message, HasSubstr(R"({"epoch": 1)"));
}

TEST(Slot, UnlessTheProgramReportsNothing) {
  Machine slot(kProcess);
  slot.state.settings.trainer.reports_nothing = true;
  slot.assign(1);
  slot.spawned();
  slot.exits(0);
  EXPECT_EQ(slot.reports<AttemptFinished>().size(), 1u);
}

TEST(Slot, AProgramThatCantBeStartedFailsTheTrialBeforeItBegan) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.assign(2);
  slot.event([&] { on_spawn_failed(slot.state, "no such file", slot.now, slot.out); });
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).reached, Reached::nothing);
  EXPECT_THAT(slot.reports<AttemptStarted>(), IsEmpty());
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
}

TEST(Slot, ParametersWithWhichNothingCanBeStartedAreTheTrialsFault) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.event(
      [&] { on_spawn_failed(slot.state, "too long", slot.now, slot.out, FailureKind::spec); });
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::spec);
}

TEST(Slot, ACrashAfterTheResultSaysSo) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  slot.prints(1, {{"loss", 1}});
  slot.event([&] { on_printed_result(slot.state, {{"loss", 1}}, slot.now, slot.out); });
  slot.dies(SIGSEGV);
  EXPECT_THAT(slot.reports<AttemptFailed>().at(0).message, HasSubstr("after it had stated"));
}

TEST(Slot, LinesThatCantBeReadAreCountedAndToldOnce) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  for (int i = 0; i < 3; ++i)
    slot.event([&] { on_unread_line(slot.state, "unreadable: {x", slot.out); });
  slot.prints(1, {{"loss", 1}});
  slot.exits(0);
  EXPECT_EQ(slot.reports<AttemptWarning>().size(), 1u);
  EXPECT_EQ(slot.reports<AttemptFinished>().at(0).unread_lines, 3);
}

TEST(Slot, AnEpochBelow1FailsTheAttempt) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.spawned();
  slot.event([&] { on_refused_line(slot.state, "from 1", slot.now, slot.out); });
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::spec);
}

TEST(Slot, AResumeThatSkipsEpochsIsWarnedOf) {
  Machine slot(kProcess);
  slot.assign({.trial = TrialId{1}, .attempt = 2, .checkpoint_dir = "/c", .committed_epochs = 3});
  slot.spawned(true);
  slot.prints(6, {{"loss", 1}});
  EXPECT_THAT(slot.reports<AttemptWarning>().at(0).text, HasSubstr("WINDROW_RESUME"));
}

// ---- early stopping

Start watched(const std::vector<double>& losses = {}) {
  std::vector<Watched> history;
  for (const double loss : losses) history.push_back({static_cast<int>(history.size()) + 1, loss});
  return {.trial = TrialId{1},
          .early_stopping = EarlyStopping{.metric = "loss", .patience = 4},
          .committed_epochs = static_cast<int>(history.size()),
          .watched_history = std::move(history)};
}

TEST(Slot, EarlyStoppingOfAProcessEndsItAndTheBestEpochIsTheResult) {
  Machine slot(kProcess);
  slot.assign(watched());
  slot.spawned();
  int number = 0;
  for (const double loss : {9.0, 1.0, 2.0, 3.0, 2.5, 2.6}) slot.prints(++number, {{"loss", loss}});
  EXPECT_THAT(slot.signals(), ElementsAre(SIGTERM));
  slot.dies(SIGTERM);
  const Finished end = slot.reports<AttemptFinished>().at(0).finished;
  EXPECT_EQ(end.epochs, 6);
  EXPECT_EQ(end.result_epoch, 2);
}

// As of a process a trial.
TEST(Slot, WithoutAStopTheBestEpochIsTheResultOfAPersistentTrainerToo) {
  Machine slot(kPersistent);
  slot.assign(watched());
  slot.ready();
  slot.says(Started{TrialId{1}});
  for (const double loss : {9.0, 1.0, 2.0}) {
    const int number = static_cast<int>(slot.reports<AttemptEpoch>().size()) + 1;
    slot.says(Epoch{.trial = TrialId{1}, .epoch = number, .metrics = {{"loss", loss}}});
  }
  slot.says(Finished{.trial = TrialId{1}, .epochs = 3});
  const Finished end = slot.reports<AttemptFinished>().at(0).finished;
  EXPECT_EQ(end.epochs, 3);
  EXPECT_EQ(end.result_epoch, 2);
}

TEST(Slot, ResumedItStopsWhereTheUndisturbedTrialDoes) {
  Machine slot(kProcess);
  slot.assign(watched({9, 1, 2, 3}));
  slot.spawned(true);
  slot.prints(5, {{"loss", 2.5}});
  EXPECT_THAT(slot.signals(), IsEmpty());
  slot.prints(6, {{"loss", 2.6}});
  EXPECT_THAT(slot.signals(), ElementsAre(SIGTERM));
  slot.dies(SIGTERM);
  EXPECT_EQ(slot.reports<AttemptFinished>().at(0).finished.result_epoch, 2);
}

TEST(Slot, KilledAfterItsLastEpochItFinishesWithoutTraining) {
  Machine slot(kProcess);
  slot.assign(watched({9, 1, 2, 3, 2.5, 2.6}));
  EXPECT_THAT(slot.take<Spawn>(), IsEmpty());
  const Finished end = slot.reports<AttemptFinished>().at(0).finished;
  EXPECT_EQ(end.epochs, 6);
  EXPECT_EQ(end.result_epoch, 2);
}

// It may take longer than the hang limit to leave, and is not waited for longer than its grace.
TEST(Slot, ATrainerThatLeavesSlowlyAfterEarlyStoppingHasFinished) {
  Machine slot(kProcess);
  slot.state.settings.trainer.hang_seconds = 2;
  slot.assign(watched());
  slot.spawned();
  int number = 0;
  for (const double loss : {1.0, 2.0, 2.0, 2.0, 2.0}) slot.prints(++number, {{"loss", loss}});
  slot.wait(25);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGTERM));
  slot.wait(10);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFinished>().size(), 1u);
}

TEST(Slot, APersistentTrainerIsWatchedToo) {
  Machine slot(kPersistent);
  slot.assign(watched());
  slot.ready();
  int number = 0;
  for (const double loss : {1.0, 2.0, 2.0, 2.0, 2.0, 2.0}) {
    Epoch one = epoch(1, ++number);
    one.metrics = {{"loss", loss}};
    slot.says(one);
  }
  slot.says(Stopped{TrialId{1}, 1});
  EXPECT_EQ(slot.reports<AttemptEpoch>().size(), 5u);  // the sixth came after the end
  const Finished end = slot.reports<AttemptFinished>().at(0).finished;
  EXPECT_EQ(end.epochs, 5);
  EXPECT_EQ(end.result_epoch, 1);
}

TEST(Slot, AWatchedMetricThatDoesNotComeIsToldOnce) {
  Machine slot(kProcess);
  slot.assign(watched());
  slot.spawned();
  for (int number = 1; number <= 3; ++number) slot.prints(number, {{"los", 1}});
  EXPECT_EQ(slot.reports<AttemptWarning>().size(), 1u);
  EXPECT_THAT(slot.reports<AttemptWarning>().at(0).text, HasSubstr("loss"));
}

// ---- hangs

TEST(Slot, SilenceLongerThanTheLimitIsAHang) {
  Machine slot(kPersistent);
  slot.state.settings.trainer.hang_seconds = 5;
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.wait(4);
  slot.event([&] { on_output(slot.state, slot.now); });  // stderr will do
  slot.wait(4);
  EXPECT_THAT(slot.signals(), IsEmpty());
  slot.wait(2);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::hang);
}

TEST(Slot, TheFirstReasonForAnEndStays) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.assign(2);
  slot.spawned();
  slot.cancel(1);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGTERM));
  slot.wait(31);  // it is deaf
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::cancelled);
}

// A word that it had sent before SIGKILL came.
TEST(Slot, WhatATrainerSaysWhileItIsEndedChangesNothing) {
  Machine slot(kPersistent);
  slot.state.settings.trainer.hang_seconds = 5;
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.wait(6);
  slot.says(Failed{TrialId{1}, 1, TrainerFailure::nan, "the loss is NaN"});
  EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::hang);
}

TEST(Slot, AProcessThatOutlivesSigkillIsLetGoWithItsSlot) {
  Machine slot(kPersistent);
  slot.state.settings.trainer.hang_seconds = 5;
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.assign(2);
  slot.wait(6);
  slot.wait(11);
  EXPECT_EQ(slot.take<LetGo>().size(), 1u);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::hang);
  EXPECT_EQ(slot.reports<SlotLost>().size(), 1u);
  EXPECT_EQ(slot.reports<Withdrawn>().at(0).trial, TrialId{2});
  EXPECT_TRUE(is_quiet(slot.state));
}

// ---- stops

TEST(Slot, AStopAsksAPersistentTrainerAndTermsAProcess) {
  Machine persistent(kPersistent);
  persistent.assign(1);
  persistent.assign(2);
  persistent.ready();
  persistent.says(started(1));
  persistent.stop();
  EXPECT_THAT(persistent.signals(), IsEmpty());
  EXPECT_EQ(persistent.reports<Withdrawn>().at(0).trial, TrialId{2});
  persistent.says(Stopped{TrialId{1}, 1});
  EXPECT_EQ(persistent.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);

  Machine process(kProcess);
  process.assign(1);
  process.spawned();
  process.stop();
  EXPECT_THAT(process.signals(), ElementsAre(SIGTERM));
  process.prints(1, {{"loss", 1}});  // the epoch in progress
  process.exits(0);
  EXPECT_EQ(process.reports<AttemptEpoch>().size(), 1u);
  EXPECT_EQ(process.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);
}

TEST(Slot, ADeathByASignalThatThisRankDoesNotGetIsACrash) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.dies(SIGTERM);
  slot.now += std::chrono::microseconds(123);
  slot.wait(60);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::crash);
}

TEST(Slot, AGangIsForTheAttemptThatRuns) {
  Machine slot(kPersistent);
  slot.assign(1, 2);
  slot.ready();
  slot.says(Started{.trial = TrialId{1}, .attempt = 2});
  slot.take<Write>();
  for (const auto& [trial, attempt] : {std::pair{1, 1}, std::pair{1, 3}, std::pair{2, 2}})
    slot.event([&] {
      on_gang(slot.state, SetGang{.trial = TrialId{trial}, .attempt = attempt}, slot.out);
    });
  EXPECT_THAT(slot.take<Write>(), IsEmpty());
  slot.event([&] { on_gang(slot.state, SetGang{.trial = TrialId{1}, .attempt = 2}, slot.out); });
  EXPECT_EQ(slot.take<Write>().size(), 1u);
}

TEST(Slot, ADeathByTheSignalThatThisRankGetsTooIsPreemption) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    Machine slot(kPersistent);
    slot.assign(1);
    slot.ready();
    slot.says(started(1));
    slot.dies(signal);  // before this rank has noticed its own
    slot.wait(0.5);
    EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
    slot.stop();
    EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);

    Machine after(kProcess);
    after.assign(1);
    after.spawned();
    after.stop();
    after.dies(signal);
    EXPECT_EQ(after.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);
  }
}

// What ends a node or a job sends SIGKILL to all, one after the other: the trainer's end is said
// only when this rank has outlived it, so that a rank that dies too is all that is seen.
TEST(Slot, ADeathBySigkillIsSaidOnlyWhenThisRankOutlivesIt) {
  for (const bool persistent : {true, false}) {
    Machine slot(persistent ? kPersistent : kProcess);
    slot.assign(1);
    slot.assign(2);
    persistent ? slot.ready() : slot.spawned();
    if (persistent) slot.says(started(1));
    if (persistent)
      slot.dies(SIGKILL);
    else
      slot.exits(137);  // as a shell tells it
    slot.wait(0.9);
    EXPECT_THAT(slot.reports<AttemptFailed>(), IsEmpty());
    EXPECT_THAT(slot.started_trials(), ElementsAre(1));
    slot.wait(0.2);
    EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::crash);
    if (persistent) slot.ready();
    EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
  }
}

// The kernel kills what takes most: the trainer, or a process that it has started and fails
// without.
TEST(Slot, WhereTheHostsMemoryRanOutTheAttemptIsOutOfMemory) {
  for (const bool persistent : {true, false}) {
    Machine slot(persistent ? kPersistent : kProcess);
    slot.assign(1);
    persistent ? slot.ready() : slot.spawned();
    slot.event([&] {
      on_exit(slot.state, {.signal = SIGKILL, .describe = "signal 9", .memory_ran_out = true},
              slot.now, slot.out);
    });
    const AttemptFailed failed = slot.reports<AttemptFailed>().at(0);
    EXPECT_EQ(failed.kind, FailureKind::oom);
    EXPECT_THAT(failed.message, HasSubstr("more memory"));
  }
  Machine loader(kProcess);
  loader.assign(1);
  loader.spawned();
  loader.event([&] {
    on_exit(loader.state, {.code = 1, .describe = "exit code 1", .memory_ran_out = true},
            loader.now, loader.out);
  });
  EXPECT_EQ(loader.reports<AttemptFailed>().at(0).kind, FailureKind::oom);
  Machine stopped(kProcess);
  stopped.assign(1);
  stopped.spawned();
  stopped.stop();
  stopped.event([&] {
    on_exit(stopped.state, {.code = 0, .memory_ran_out = true}, stopped.now, stopped.out);
  });
  EXPECT_EQ(stopped.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);
}

TEST(Slot, ADeathByASignalThatNobodyElseGotIsACrash) {
  Machine slot(kProcess);
  slot.assign(1);
  slot.assign(2);
  slot.spawned();
  slot.exits(143);  // as a shell tells SIGTERM
  slot.wait(3);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::crash);
  EXPECT_THAT(slot.started_trials(), ElementsAre(1, 2));
}

TEST(Slot, WhatDoesNotStopWithinTheLimitIsKilled) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.stop(false, 10);
  slot.wait(9);
  EXPECT_THAT(slot.signals(), IsEmpty());
  slot.wait(2);
  EXPECT_THAT(slot.signals(), ElementsAre(SIGKILL));
  slot.dies(SIGKILL);
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);
}

TEST(Slot, StoppedItTakesNothingMore) {
  Machine slot(kProcess);
  slot.stop();
  slot.assign(1);
  EXPECT_EQ(slot.reports<Withdrawn>().at(0).trial, TrialId{1});
}

TEST(Slot, NoEpochIsBegunThatCantEndInTime) {
  Machine slot(kPersistent);
  slot.state.settings.until = slot.now + std::chrono::seconds(60);
  slot.assign(1);
  slot.ready();
  Epoch first = epoch(1, 1);
  first.wall_seconds = 20;
  slot.wait(20);
  slot.says(first);                          // the second ends at 40, a third at 60
  EXPECT_EQ(slot.take<Write>().size(), 2u);  // start and stop
  slot.says(Stopped{TrialId{1}, 1});
  EXPECT_EQ(slot.reports<AttemptFailed>().at(0).kind, FailureKind::preempted);
}

TEST(Slot, ItIsQuietOnceItIsShutDownAndItsProcessIsGone) {
  Machine slot(kPersistent);
  slot.assign(1);
  slot.ready();
  slot.says(started(1));
  slot.says(finished(1));
  slot.event([&] { on_shut_down(slot.state, slot.now, slot.out); });
  EXPECT_EQ(slot.take<CloseInput>().size(), 1u);
  EXPECT_FALSE(is_quiet(slot.state));
  slot.exits(0);
  EXPECT_TRUE(is_quiet(slot.state));
}

}  // namespace
}  // namespace windrow::slot
