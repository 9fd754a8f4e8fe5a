// The coordinator by its messages: agents are this test, time is told by tick().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/coordinator/coordinator.h"
#include "protocol/program.h"
#include "storage/reader.h"
#include "support.h"

namespace windrow {
namespace {

using namespace protocol;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class CoordinatorTest : public testing::Test {
 protected:
  // With `agents` ranks that have said hello, a slot each.
  void begin(const std::string& study, int agents = 1, CoordinatorOptions options = {}) {
    study_ = own_study(study);
    options.agents = agents;
    options.checkpoints = "/checkpoints";
    coordinator_.emplace(
        study_, store_, options,
        [this](AgentId to, ToAgent message) { sent_.emplace_back(to.value, std::move(message)); },
        [this](AgentId lost) { lost_.push_back(lost.value); },
        [this](const std::string&, const std::string& text) { log_ += text + "\n"; });
    tick();
    for (int rank = 0; rank < agents; ++rank) hello(rank);
    poll_until("the first assignment", [&] {
      tick();
      return !of<Assign>().empty() || !of<Leave>().empty();
    });
  }
  void hello(int rank, std::vector<std::string> faults = {}) {
    tell(rank, Hello{.version = WINDROW_VERSION,
                     .host = "n" + std::to_string(rank),
                     .slots = slots_,
                     .faults = std::move(faults),
                     .job = {"4711", 2, "n" + std::to_string(rank)}});
  }
  void tell(int rank, FromAgent message) {
    coordinator_->on_message(AgentId{rank}, std::move(message));
  }
  void tick(double seconds = 0, bool mail_read = true) {
    now_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    coordinator_->tick(now_, mail_read);
  }

  // What agents were sent of this kind, with the rank.
  template <class Message>
  std::vector<std::pair<std::int64_t, Message>> of() {
    std::vector<std::pair<std::int64_t, Message>> found;
    for (const auto& [to, message] : sent_)
      if (const auto* one = std::get_if<Message>(&message)) found.emplace_back(to, *one);
    return found;
  }
  // The rank's assignments so far; a slot is given one to queue behind what it runs.
  std::vector<Assign> assigned(int rank) {
    std::vector<Assign> all;
    for (const auto& [to, assign] : of<Assign>())
      if (to == rank) all.push_back(assign);
    return all;
  }
  // The attempt on the rank's slot reports epochs from .. to.
  void run(int rank, const Assign& assigned, int from, int to) {
    const Start& start = assigned.start;
    tell(rank, AttemptStarted{assigned.slot, {.trial = start.trial, .attempt = start.attempt}});
    for (int epoch = from; epoch <= to; ++epoch)
      tell(rank, AttemptEpoch{assigned.slot,
                              {.trial = start.trial,
                               .attempt = start.attempt,
                               .epoch = epoch,
                               .metrics = {{"loss", 1.0 / epoch}},
                               .wall_seconds = 1}});
  }
  void finish(int rank, const Assign& assigned, int epochs) {
    tell(rank,
         AttemptFinished{
             assigned.slot,
             {.trial = assigned.start.trial, .attempt = assigned.start.attempt, .epochs = epochs}});
  }
  void say_goodbye(int agents) {
    poll_until("leave", [&] {
      tick(0.1);
      return !of<Leave>().empty();
    });
    for (int rank = 0; rank < agents; ++rank) tell(rank, Goodbye{});
    tick();
  }

  std::vector<protocol::SlotInfo> slots_ = {{"cpu", 1}};  // of each rank
  StoreFolder folder_;
  sweeps::Study study_;
  storage::Store store_{folder_.file()};
  std::optional<Coordinator> coordinator_;
  Clock::time_point now_{};
  std::vector<std::pair<std::int64_t, ToAgent>> sent_;
  std::vector<std::int64_t> lost_;
  std::string log_;
};

TEST_F(CoordinatorTest, TrainersThatTakeLongToBeReadyAreSpokenOfOnce) {
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2]}\n");
  tick(59);
  EXPECT_THAT(log_, Not(HasSubstr("no trainer is ready")));
  tick(2);
  EXPECT_THAT(log_, HasSubstr("no trainer is ready yet after 60 s"));
  EXPECT_THAT(log_, HasSubstr("each has 300 s"));
  log_.clear();
  tick(120);
  EXPECT_THAT(log_, Not(HasSubstr("no trainer is ready")));
}

TEST_F(CoordinatorTest, AfterATrainerWasReadyNothingIsSaidOfOthers) {
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2]}\n");
  tell(0, TrainerReady{assigned(0).at(0).slot, {}});
  tick(100);
  EXPECT_THAT(log_, Not(HasSubstr("no trainer is ready")));
}

// As the kernel kills it for want of memory, on a host that has 1000 bytes.
TEST_F(CoordinatorTest, WhereTrialsShareAHostItsMemoryIsToBlameForOneThatHasNoMoreThanItsPart) {
  slots_ = {{"cpu", 1}, {"cpu", 1}};
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2]}\n");
  const auto fail = [&](const Assign& one, std::int64_t held) {
    tell(0, AttemptFailed{.slot = one.slot,
                          .trial = one.start.trial,
                          .attempt = one.start.attempt,
                          .kind = FailureKind::oom,
                          .message = "killed",
                          .reached = Reached::started,
                          .usage = Usage{.peak_memory = held},
                          .memory_limit = 1000});
  };
  const std::vector<Assign> both = assigned(0);
  ASSERT_EQ(both.size(), 2u);
  run(0, both[0], 1, 1);
  run(0, both[1], 1, 1);
  fail(both[0], 900);
  EXPECT_THAT(log_, testing::Not(HasSubstr("no more trials"))) << "it had most of it";
  ASSERT_EQ(assigned(0).size(), 3u);
  fail(both[1], 600);
  EXPECT_THAT(log_, HasSubstr("gets no more trials: its host has too little memory"));
  store_.flush();
  EXPECT_THAT(folder_.rows("SELECT kind, forgiven FROM failure ORDER BY id"),
              ElementsAre("oom|0", "oom|1"));
}

TEST_F(CoordinatorTest, WhereTrialsShareAGpuItsMemoryIsToBlameUntilOneIsAlone) {
  slots_ = {{"cuda:0", 1}, {"cuda:0", 1}};
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2]}\n");
  const auto fail = [&](const Assign& one) {
    tell(0, AttemptFailed{.slot = one.slot,
                          .trial = one.start.trial,
                          .attempt = one.start.attempt,
                          .kind = FailureKind::oom,
                          .message = "CUDA out of memory",
                          .reached = Reached::started});
  };
  const std::vector<Assign> both = assigned(0);
  ASSERT_EQ(both.size(), 2u);
  run(0, both[1], 1, 1);
  run(0, both[0], 1, 1);
  fail(both[0]);
  EXPECT_THAT(log_, HasSubstr("gets no more trials: its GPU has too little memory"));
  store_.flush();
  EXPECT_THAT(folder_.rows("SELECT kind FROM failures"), ElementsAre("oom"));
  ASSERT_EQ(assigned(0).size(), 3u) << "behind the other trial";
  EXPECT_EQ(assigned(0)[2].slot, both[1].slot);
  log_.clear();
  fail(both[1]);
  EXPECT_THAT(log_, testing::Not(HasSubstr("no more trials"))) << "it had the GPU for itself";
}

TEST_F(CoordinatorTest, OfTwoGpusOneHasNoShareInTheMemoryOfTheOther) {
  slots_ = {{"cuda:0", 1}, {"cuda:1", 1}};
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2]}\n");
  const std::vector<Assign> both = assigned(0);
  ASSERT_EQ(both.size(), 2u);
  for (const Assign& one : both) run(0, one, 1, 1);
  EXPECT_EQ(coordinator_->view().epochs_done, 2);
  tell(0, AttemptFailed{.slot = both[0].slot,
                        .trial = both[0].start.trial,
                        .attempt = both[0].start.attempt,
                        .kind = FailureKind::oom,
                        .message = "CUDA out of memory"});
  EXPECT_THAT(log_, Not(HasSubstr("no more trials")));
}

TEST_F(CoordinatorTest, TheThreadsOfAnIdleSlotAreLentAndTimeIsAccountedFor) {
  slots_ = {{"cpu", 2}, {"cpu", 3}};
  begin("parameters: {epochs: 9}\ngrid: {x: [1]}\n");
  const Assign only = assigned(0).at(0);
  const Start& start = only.start;
  tell(0, AttemptStarted{only.slot,
                         {.trial = start.trial, .attempt = start.attempt, .takes_threads = true}});
  const auto epoch = [&](int number, int members) {
    tick(10);
    tell(0, AttemptEpoch{only.slot,
                         {.trial = start.trial,
                          .attempt = start.attempt,
                          .epoch = number,
                          .wall_seconds = 10,
                          .members = members}});
  };
  epoch(1, 1);
  const auto lent = of<SetSlotGang>();
  ASSERT_EQ(lent.size(), 1u);
  EXPECT_EQ(lent[0].second.gang, (SetGang{start.trial, start.attempt, {}, 1, 3}));
  epoch(2, 2);
  const RunView view = coordinator_->view();
  EXPECT_NEAR(view.time.idle, 10, 0.5);
  EXPECT_NEAR(view.time.training, 30, 0.5);
  EXPECT_NEAR(view.lower_bound_seconds, 15, 0.5);
  finish(0, only, 2);
  EXPECT_NEAR(coordinator_->view().time.total(), 40, 0.5);
}

TEST_F(CoordinatorTest, ATrialFromItsAssignmentToItsResult) {
  begin("parameters: {epochs: 2}\ngrid: {x: [1]}\n");
  const Assign only = assigned(0).at(0);
  EXPECT_EQ(only.start.parameters, (Json{{"epochs", 2}, {"x", 1}}));
  EXPECT_EQ(only.start.checkpoint_dir, "/checkpoints/trial-1");
  run(0, only, 1, 2);
  EXPECT_EQ(coordinator_->view().slots.at(0).trial, only.start.trial);
  finish(0, only, 2);
  EXPECT_EQ(coordinator_->view().slots.at(0).trial, std::nullopt);
  EXPECT_FALSE(coordinator_->over());
  say_goodbye(1);
  EXPECT_TRUE(coordinator_->over());
  EXPECT_EQ(coordinator_->end(), RunEnd::all_done);
  EXPECT_THAT(folder_.rows("SELECT trial, epoch, loss FROM epochs"),
              ElementsAre("1|1|1.000000", "1|2|0.500000"));
  EXPECT_THAT(folder_.rows("SELECT state FROM trials"), ElementsAre("finished"));
}

TEST_F(CoordinatorTest, CheckpointsAreForgottenOnlyWhenTheResultIsDurable) {
  begin("grid: {x: [1, 2]}\n");
  const Assign only = assigned(0).at(0);
  run(0, only, 1, 1);
  finish(0, only, 1);
  EXPECT_THAT(of<Forget>(), IsEmpty());
  store_.flush();
  tick();
  ASSERT_THAT(of<Forget>(), SizeIs(1));
  EXPECT_EQ(of<Forget>()[0].second.checkpoint_dir, "/checkpoints/trial-1");
}

TEST_F(CoordinatorTest, AMessageOfAnAttemptThatIsOverChangesNothing) {
  begin("parameters: {epochs: 3}\ngrid: {x: [1]}\n");
  const Assign first = assigned(0).at(0);
  run(0, first, 1, 1);
  tell(0, AttemptFailed{.slot = first.slot,
                        .trial = first.start.trial,
                        .attempt = 1,
                        .kind = FailureKind::crash,
                        .message = "bang",
                        .reached = Reached::epoch});
  run(0, first, 2, 2);
  finish(0, first, 2);
  store_.flush();
  EXPECT_THAT(folder_.rows("SELECT epoch FROM epochs"), ElementsAre("1"));
  EXPECT_THAT(folder_.rows("SELECT state FROM trials"), ElementsAre("pending"));
  EXPECT_EQ(coordinator_->view().epochs_done, 1);
  EXPECT_EQ(coordinator_->view().finished, 0);
}

TEST_F(CoordinatorTest, ASilentAgentsTrialsGoToTheOthersAndCostNothing) {
  begin("parameters: {epochs: 5}\ngrid: {x: [1, 2]}\n", 2);
  const Assign gone = assigned(1).at(0);
  run(1, gone, 1, 2);
  // What has arrived is read before silence is judged.
  tick(29);
  tell(0, AgentHeartbeat{});
  tick(29, false);
  EXPECT_THAT(lost_, IsEmpty());
  tick();
  EXPECT_THAT(lost_, ElementsAre(1));
  EXPECT_THAT(log_, HasSubstr("rank 1 on n1 is lost: not heard of for 58 s"));
  store_.flush();
  EXPECT_THAT(folder_.rows("SELECT trial, kind FROM failures"),
              ElementsAre(std::to_string(gone.start.trial.value) + "|node"));
  const Assign first = of<Assign>()[0].second;
  run(0, first, 1, 5);
  finish(0, first, 5);
  const Assign again = assigned(0).back();
  EXPECT_EQ(again.start.trial, gone.start.trial);
  EXPECT_EQ(again.start.committed_epochs, 2);
  run(0, again, 1, 0);  // its checkpoint is gone
  EXPECT_EQ(coordinator_->view().slots.at(0).epoch, 0);
}

TEST_F(CoordinatorTest, ARankThatLeavesBeforeAllAreThereGetsNothing) {
  study_ = own_study("grid: {x: [1, 2]}\n");
  coordinator_.emplace(
      study_, store_, CoordinatorOptions{.agents = 3},
      [this](AgentId to, ToAgent message) { sent_.emplace_back(to.value, std::move(message)); },
      [](AgentId) {}, [](const std::string&, const std::string&) {});
  tick();
  hello(0);
  hello(1);
  tell(1, Goodbye{"the coordinator has not been heard of"});
  hello(2);
  poll_until("the second assignment", [&] {
    tick();
    return of<Assign>().size() >= 2;
  });
  EXPECT_THAT(assigned(0), SizeIs(1));
  EXPECT_THAT(assigned(2), SizeIs(1));
}

TEST_F(CoordinatorTest, ARankThatWasTakenForDeadIsSentAway) {
  begin("grid: {x: [1, 2, 3]}\n", 2);
  tick(31);
  sent_.clear();
  tell(1, AgentHeartbeat{});
  EXPECT_THAT(of<Leave>(), SizeIs(1));
}

TEST_F(CoordinatorTest, AStopReachesAllAgentsAndLeavesTheRestForTheNextRun) {
  begin("parameters: {epochs: 5}\ngrid: {x: [1, 2, 3]}\n", 2);
  const Assign first = assigned(0).at(0), second = assigned(1).at(0);
  run(0, first, 1, 1);
  run(1, second, 1, 1);
  coordinator_->stop(false, "SIGUSR1");
  EXPECT_THAT(of<StopAll>(), SizeIs(2));
  for (const auto& [rank, assigned] : {std::pair{0, first}, std::pair{1, second}})
    tell(rank, AttemptFailed{.slot = assigned.slot,
                             .trial = assigned.start.trial,
                             .attempt = 1,
                             .kind = FailureKind::preempted,
                             .message = "stopped on request",
                             .reached = Reached::epoch});
  for (const int rank : {0, 1})  // what was queued behind them comes back
    if (assigned(rank).size() > 1)
      tell(rank, Withdrawn{assigned(rank)[1].slot, assigned(rank)[1].start.trial, 1});
  say_goodbye(2);
  EXPECT_EQ(coordinator_->end(), RunEnd::interrupted);
  EXPECT_THAT(folder_.rows("SELECT DISTINCT state FROM trials"), ElementsAre("pending"));
}

TEST_F(CoordinatorTest, WhatCantBeStoredFailsItsTrialAndNoOther) {
  begin("grid: {x: [1, 2]}\n");
  const Assign bad = assigned(0).at(0);
  tell(0, AttemptStarted{bad.slot, {.trial = bad.start.trial, .attempt = 1}});
  tell(0, AttemptEpoch{bad.slot,
                       {.trial = bad.start.trial,
                        .attempt = 1,
                        .epoch = 1,
                        .metrics = {{std::string("a\nb"), 1}}}});
  finish(0, bad, 1);  // the scheduler takes it for finished before the writer has seen the epoch
  store_.flush();
  tick();
  EXPECT_THAT(log_, HasSubstr("what it reported can't be stored"));
  const Assign good = assigned(0).at(1);
  run(0, good, 1, 1);
  finish(0, good, 1);
  say_goodbye(1);
  EXPECT_EQ(coordinator_->end(), RunEnd::some_failed);
  EXPECT_THAT(folder_.rows("SELECT state, failure FROM trials ORDER BY trial"),
              ElementsAre("failed|spec", "finished|"));
}

TEST_F(CoordinatorTest, AnAgentWithAFaultTakesNoPartAndTheOthersGoOn) {
  study_ = own_study("grid: {x: [1]}\n");
  begin("grid: {x: [1]}\n", 2);
  log_.clear();
  hello(1, {"--device cuda: this process sees no GPU"});
  EXPECT_THAT(log_, HasSubstr("rank 1 on n1 can't take part: --device cuda"));
  EXPECT_EQ(coordinator_->refusal(), "");
}

TEST_F(CoordinatorTest, AnotherStudyOnAnotherRankIsRefused) {
  study_ = own_study("grid: {x: [1]}\n");
  begin("grid: {x: [1]}\n", 1);
  tell(0, Hello{.version = WINDROW_VERSION, .study_hash = "another", .host = "n0"});
  EXPECT_THAT(coordinator_->refusal(), HasSubstr("reads another study"));
}

TEST_F(CoordinatorTest, AWorkerWithTooFewSlotsIsTurnedAwayAndTheRunGoesOn) {
  begin("parameters: {epochs: 2}\ngrid: {x: [1]}\n");
  study_.trainer.gang = 2;
  hello(1);
  ASSERT_THAT(of<Leave>(), SizeIs(1));
  EXPECT_THAT(of<Leave>()[0].second.error, HasSubstr("has 1 slots, but a trial takes 2"));
  EXPECT_EQ(of<Leave>()[0].first, 1);
  EXPECT_FALSE(coordinator_->over());
}

TEST_F(CoordinatorTest, ARankOfAnotherVersionIsRefused) {
  begin("grid: {x: [1]}\n", 1);
  tell(0, Hello{.version = "0.0.1", .host = "n0", .slots = slots_});
  EXPECT_EQ(coordinator_->end(), RunEnd::refused);
  EXPECT_THAT(coordinator_->refusal(), HasSubstr("rank 0 on n0 runs windrow 0.0.1"));
}

TEST_F(CoordinatorTest, TheHistoryOfTheWatchedMetricGoesToTheNextAttempt) {
  begin(
      "parameters: {epochs: 9}\ngrid: {x: [1]}\n"
      "early_stopping: {metric: loss, patience: 3}\n");
  const Assign first = assigned(0).at(0);
  run(0, first, 1, 2);
  tell(0, AttemptFailed{.slot = first.slot,
                        .trial = first.start.trial,
                        .attempt = 1,
                        .kind = FailureKind::preempted,
                        .message = "",
                        .reached = Reached::epoch});
  tick(2);
  const Assign again = assigned(0).back();
  ASSERT_EQ(again.start.attempt, 2);
  ASSERT_THAT(again.start.watched_history, SizeIs(2));
  EXPECT_EQ(again.start.watched_history[1].epoch, 2);
  EXPECT_EQ(again.start.watched_history[1].value, 0.5);
}

TEST_F(CoordinatorTest, WhereEverythingFailsAlikeTheRunStopsAndNoTrialIsCharged) {
  begin("grid: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n");
  for (int i = 0; i < 100 && coordinator_->stop_reason().empty(); ++i) {
    tick(61);  // any rest is over
    const auto all = assigned(0);
    const Assign& next = all.at(static_cast<std::size_t>(i));
    tell(0, AttemptFailed{.slot = next.slot,
                          .trial = next.start.trial,
                          .attempt = next.start.attempt,
                          .kind = FailureKind::crash,
                          .message = "no module named torch",
                          .reached = Reached::started,
                          .exit_code = 1});
  }
  EXPECT_THAT(coordinator_->stop_reason(),
              AllOf(HasSubstr("everything fails alike"), HasSubstr("no module named torch")));
  const auto last = assigned(0).back();  // it was queued, and comes back
  tell(0, Withdrawn{last.slot, last.start.trial, last.start.attempt});
  say_goodbye(1);
  EXPECT_EQ(coordinator_->end(), RunEnd::interrupted);
  EXPECT_THAT(folder_.rows("SELECT DISTINCT state FROM trials"), ElementsAre("pending"));
}

// Each attempt begins with epoch 1 again and fails in the second: the trial is to blame, not the
// slot, which does well in between.
TEST_F(CoordinatorTest, TrialsThatFailInTheirSecondEpochAreFailedAndStopNothing) {
  begin("parameters: {epochs: 2}\ngrid: {x: [1, 2, 3, 4, 5, 6]}\n");
  for (std::size_t i = 0; i < assigned(0).size(); ++i) {
    const Assign next = assigned(0)[i];
    run(0, next, 1, 1);
    tell(0, AttemptFailed{.slot = next.slot,
                          .trial = next.start.trial,
                          .attempt = next.start.attempt,
                          .kind = FailureKind::crash,
                          .message = "bang",
                          .reached = Reached::epoch,
                          .exit_code = 1});
    tick(61);
  }
  say_goodbye(1);
  EXPECT_EQ(coordinator_->stop_reason(), "");
  EXPECT_EQ(coordinator_->end(), RunEnd::some_failed);
  EXPECT_THAT(folder_.rows("SELECT state, attempts, count(*) FROM trials GROUP BY 1, 2"),
              ElementsAre("failed|3|6"));
}

TEST_F(CoordinatorTest, CancelledTrialsAreEndedAndSayByWhom) {
  begin("parameters: {epochs: 9}\ngrid: {x: [1, 2, 3]}\n");
  const Assign first = assigned(0).at(0);
  run(0, first, 1, 2);
  const TrialId runs = first.start.trial, queued = assigned(0).at(1).start.trial;
  const TrialId waits{6 - runs.value - queued.value};  // of 1, 2 and 3
  EXPECT_EQ(coordinator_->cancel({runs, waits, TrialId{99}}, "ann@login1"), 2);
  EXPECT_EQ(of<CancelTrial>().at(0).second, (CancelTrial{first.slot, runs, 1}));
  EXPECT_THAT(of<StopAll>(), IsEmpty());
  tell(0, AttemptFailed{.slot = first.slot,
                        .trial = runs,
                        .attempt = 1,
                        .kind = FailureKind::cancelled,
                        .message = "cancelled on request",
                        .reached = Reached::epoch});
  finish(0, assigned(0).at(1), 9);
  EXPECT_THAT(log_, Not(HasSubstr("failed")));
  say_goodbye(1);
  EXPECT_EQ(coordinator_->end(), RunEnd::some_failed);
  EXPECT_THAT(folder_.rows("SELECT failure, count(*) FROM trials WHERE state = 'failed'"),
              ElementsAre("cancelled|2"));
  EXPECT_THAT(folder_.rows("SELECT message FROM failures"), ElementsAre("cancelled by ann@login1"));
}

// The coordinator may be killed before the attempts have ended.
TEST_F(CoordinatorTest, ACancelIsRecordedBeforeTheAttemptEnds) {
  begin("parameters: {epochs: 9}\ngrid: {x: [1, 2]}\n");
  const auto states = [&] {
    store_.flush();
    return folder_.rows("SELECT state, coalesce(failure, '') FROM trials ORDER BY trial");
  };
  const Assign runs = assigned(0).at(0), queued = assigned(0).at(1);
  run(0, runs, 1, 2);
  coordinator_->cancel({runs.start.trial, queued.start.trial}, "ann@login1");
  EXPECT_THAT(states(), ElementsAre("failed|cancelled", "failed|cancelled"));
  run(0, runs, 3, 3);  // it has not heard of it yet
  tell(0, AttemptFailed{.slot = runs.slot,
                        .trial = runs.start.trial,
                        .attempt = 1,
                        .kind = FailureKind::crash,
                        .message = "at that moment"});
  run(0, queued, 1, 1);
  EXPECT_THAT(states(), ElementsAre("failed|cancelled", "failed|cancelled"));
  finish(0, queued, 1);
  EXPECT_THAT(states(), testing::UnorderedElementsAre("failed|cancelled", "finished|"));
}

TEST_F(CoordinatorTest, WhatATrainerWroteLastIsQuotedLineByLine) {
  begin("parameters: {epochs: 9}\ngrid: {x: [1]}\n");
  const Assign only = assigned(0).at(0);
  run(0, only, 1, 1);
  std::string lines;
  for (int line = 1; line <= 10; ++line) lines += "line " + std::to_string(line) + "\n";
  tell(0, AttemptFailed{.slot = only.slot,
                        .trial = only.start.trial,
                        .attempt = 1,
                        .kind = FailureKind::nan,
                        .message = "loss is NaN",
                        .reached = Reached::epoch,
                        .stderr_tail = lines});
  EXPECT_THAT(log_, HasSubstr("\n  line 3\n  line 4\n"));
  EXPECT_THAT(log_, HasSubstr("\n  line 10\n"));
  EXPECT_THAT(log_, Not(HasSubstr("line 2")));
}

TEST_F(CoordinatorTest, ASlotThatGaveItsOnlyTrialBackIsIdle) {
  begin("parameters: {epochs: 5}\ngrid: {x: [1, 2]}\n");
  const Assign first = assigned(0).at(0), queued = assigned(0).at(1);
  run(0, first, 1, 1);
  coordinator_->stop(false, "SIGUSR1");
  tell(0, Withdrawn{queued.slot, queued.start.trial, 1});
  tell(0, AttemptFailed{.slot = first.slot,
                        .trial = first.start.trial,
                        .attempt = 1,
                        .kind = FailureKind::preempted,
                        .message = "stopped on request",
                        .reached = Reached::epoch});
  const TimeUse before = coordinator_->view().time;
  tick(10);
  EXPECT_NEAR(coordinator_->view().time.idle - before.idle, 10, 0.01);
}

TEST_F(CoordinatorTest, CheckpointsThatWereKeptOfACellThatIsNoMoreStay) {
  begin("parameters: {epochs: 1}\ngrid: {x: [1]}\nkeep: last\nkeep_count: 1\n", 1,
        {.kept = {{TrialId{77}, std::nullopt, 1.0}}});
  const Assign only = assigned(0).at(0);
  run(0, only, 1, 1);
  finish(0, only, 1);
  say_goodbye(1);  // of trial 77 nobody here knows the folder
  EXPECT_THAT(of<Forget>(), IsEmpty());
}

TEST_F(CoordinatorTest, AStopOnRequestIsRemembered) {
  begin("parameters: {epochs: 9}\ngrid: {x: [1]}\n");
  coordinator_->stop_for("ann@login1", false);
  EXPECT_THAT(of<StopAll>(), SizeIs(1));
  const Assign only = assigned(0).at(0);
  tell(0, Withdrawn{only.slot, only.start.trial, only.start.attempt});
  say_goodbye(1);
  EXPECT_EQ(storage::Reader(folder_.file()).stopped_by(), "ann@login1");
  EXPECT_EQ(storage::Reader(folder_.file()).checkpoints_of(only.start.trial.value), "/checkpoints");
}

TEST_F(CoordinatorTest, TheBatchJobOfEachAgentIsRecorded) {
  CoordinatorOptions options;
  options.job = {"4711", 2, "n0", 1767261600000};
  begin("parameters: {epochs: 1}\ngrid: {x: [1]}\n", 1, options);
  const Assign only = assigned(0).at(0);
  run(0, only, 1, 1);
  finish(0, only, 1);
  say_goodbye(1);
  EXPECT_THAT(folder_.rows("SELECT node, job, job_restarts, job_ends_at FROM attempts"),
              ElementsAre("n0|4711|2|2026-01-01T10:00:00.000Z"));
}

TEST_F(CoordinatorTest, EachAttemptIsRecordedWithItsProgramAndAnotherOneIsTold) {
  begin("grid: {x: [1, 2]}\n", 2);
  const Program one = make_program({"python3", "train.py"}, {{"train.py", "a"}});
  const Program other = make_program({"python3", "train.py"}, {{"train.py", "b"}});
  const auto start = [&](int rank, const Program& program) {
    tell(rank, ProgramSeen{program});
    tell(rank, EnvironmentSeen{{{"cpu", "of rank " + std::to_string(rank)}}});
    const Assign first = assigned(rank).front();
    tell(rank, AttemptStarted{first.slot,
                              {.trial = first.start.trial, .attempt = first.start.attempt},
                              program.hash});
  };
  start(0, one);
  EXPECT_FALSE(coordinator_->take_program_changed());
  start(1, other);
  EXPECT_TRUE(coordinator_->take_program_changed());
  EXPECT_FALSE(coordinator_->take_program_changed());
  EXPECT_THAT(log_, HasSubstr("rank 1 on n1 trains with another program from now on: train.py "
                              "differs"));
  store_.flush();
  const auto rows = storage::Reader(folder_.file())
                        .query(
                            "SELECT a.program, e.facts FROM attempts a JOIN environments e USING "
                            "(environment) ORDER BY trial")
                        .rows;
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0],
              ElementsAre(storage::Value{one.hash}, storage::Value{"{\"cpu\":\"of rank 0\"}"}));
  EXPECT_THAT(rows[1],
              ElementsAre(storage::Value{other.hash}, storage::Value{"{\"cpu\":\"of rank 1\"}"}));
  EXPECT_EQ(folder_.rows("SELECT program, files FROM programs ORDER BY files"),
            (std::vector<std::string>{one.hash + "|{\"train.py\":\"a\"}",
                                      other.hash + "|{\"train.py\":\"b\"}"}));
}

TEST_F(CoordinatorTest, ATrialThatIsTrainedAnewHasAFolderOfItsOwn) {
  begin("grid: {x: [1]}\n");
  const Assign first = assigned(0).front();
  run(0, first, 1, 1);
  store_.flush();
  store_.redo({first.start.trial});
  sent_.clear();
  begin("grid: {x: [1]}\n");
  const Assign again = assigned(0).front();
  EXPECT_EQ(again.start.trial, first.start.trial);
  EXPECT_EQ(again.start.committed_epochs, 0);
  EXPECT_NE(again.start.checkpoint_dir, first.start.checkpoint_dir);
}

TEST_F(CoordinatorTest, WithoutTimeForAnotherEpochItEnds) {
  begin("parameters: {epochs: 9}\ngrid: {x: [1]}\n", 1,
        {.until = std::chrono::system_clock::now()});
  say_goodbye(1);
  EXPECT_EQ(coordinator_->end(), RunEnd::interrupted);
  EXPECT_THAT(coordinator_->stop_reason(), HasSubstr("time limit"));
}

}  // namespace
}  // namespace windrow
