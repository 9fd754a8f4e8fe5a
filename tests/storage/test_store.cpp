// The Store's contract: what is recorded is there, once, and durable when it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "samples.h"
#include "storage/database.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using protocol::FailureKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> rows(const std::string& sql) { return storage::rows(file, sql); }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
};

TEST_F(StoreTest, ReconcileInsertsTrialsCellsMajorSeedsMinor) {
  Store store(file);
  const auto trials = store.reconcile(kStudy, some_cells(2), {7, 8});
  ASSERT_EQ(trials.size(), 4U);
  EXPECT_EQ(trials[0].id.value, 1);
  EXPECT_EQ(trials[1].seed, 8);
  EXPECT_EQ(trials[2].cell, "cell-1");
  EXPECT_EQ(trials[2].state, TrialState::pending);
  // Durable on return: another connection sees it.
  EXPECT_THAT(
      rows("SELECT trial, study, stages, cell, seed, state, lr, optimizer FROM trials"),
      ElementsAre("1|p1|main|cell-0|7|pending|0.1|sgd", "2|p1|main|cell-0|8|pending|0.1|sgd",
                  "3|p1|main|cell-1|7|pending|0.2|sgd", "4|p1|main|cell-1|8|pending|0.2|sgd"));
}

TEST_F(StoreTest, ReconcileAgainKeepsTrialsAndFollowsTheStudy) {
  TrialId kept;
  {
    Store store(file);
    kept = store.reconcile(kStudy, some_cells(2), {0})[1].id;
    store.record(began(kept));
    store.record(finished(kept, 0, {{"loss", 0.25}}));
  }
  Store store(file);
  auto cells = some_cells(3);
  cells.erase(cells.begin());  // cell-0 leaves, cell-2 is new, cell-1 gets a second stage
  cells[0].stages = {"main", "again"};
  const auto trials = store.reconcile({"p1", "study: p1 # edited\n", "hash-2"}, cells, {0});
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_EQ(trials[0].id, kept);
  EXPECT_EQ(trials[0].state, TrialState::finished);
  EXPECT_EQ(trials[1].state, TrialState::pending);
  EXPECT_THAT(rows("SELECT cell, stages, state FROM trials"),
              ElementsAre("cell-0||pending", "cell-1|main,again|finished", "cell-2|main|pending"));
  EXPECT_THAT(rows("SELECT hash FROM study"), ElementsAre("hash-2"));
  EXPECT_THAT(rows("SELECT hash FROM study_history"), ElementsAre("hash-1"));
}

TEST_F(StoreTest, CellsKeepTheParametersTheyWereTrainedWith) {
  Store store(file);
  auto cells = some_cells(2);
  const auto trials = store.reconcile(kStudy, cells, {0});
  store.record(began(trials[0].id));
  for (auto& cell : cells) cell.parameters["lr"] = 5;
  store.reconcile(kStudy, cells, {0});
  EXPECT_THAT(rows("SELECT cell, lr FROM trials"), ElementsAre("cell-0|0.1", "cell-1|5"));
}

TEST_F(StoreTest, AParameterThatATaskGotSinceIsAtItsDefaultInCellsTrainedBefore) {
  Store store(file);
  auto cells = some_cells(2);
  const auto trials = store.reconcile(kStudy, cells, {0});
  store.record(began(trials[0].id));
  for (auto& cell : cells) cell.parameters["width"] = 5;
  store.reconcile(kStudy, cells, {0});
  EXPECT_THAT(rows("SELECT cell, lr, width FROM trials"),
              ElementsAre("cell-0|0.1|5", "cell-1|0.2|5"));
}

TEST_F(StoreTest, AnEpochOfAnOlderAttemptThatComesLateChangesNothing) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial, 1));
  store.record(began(trial, 2));
  store.record(epoch(trial, 1, {{"loss", 0.5}}, 2));
  store.record(epoch(trial, 1, {{"loss", 7}}, 1));
  store.flush();
  EXPECT_THAT(rows("SELECT attempt, epoch, loss FROM epochs"), ElementsAre("2|1|0.5"));
}

TEST_F(StoreTest, ADefaultThatATaskGotSinceIsAColumn) {
  Store store(file);
  auto cells = some_cells(1);
  store.reconcile(kStudy, cells, {0});
  cells[0].parameters["width"] = 5;
  store.reconcile(kStudy, cells, {0});
  EXPECT_THAT(rows("SELECT cell, width FROM trials"), ElementsAre("cell-0|5"));
}

TEST_F(StoreTest, StudiesDoNotShareCells) {
  Store store(file);
  store.reconcile(kStudy, some_cells(1), {0});
  const auto trials = store.reconcile({"p2", "study: p2\n", "h"}, some_cells(1), {0});
  EXPECT_EQ(trials[0].id.value, 2);
  EXPECT_THAT(rows("SELECT study, trial FROM trials"), ElementsAre("p1|1", "p2|2"));
}

TEST_F(StoreTest, NumbersRecordsAndSaysWhichAreDurable) {
  Store store(file, {.commit_interval = std::chrono::hours(1)});
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  EXPECT_EQ(store.record(began(trial)), 1U);
  EXPECT_EQ(store.record(epoch(trial, 1, {{"loss", 1}})), 2U);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));  // the writer could have written it
  EXPECT_EQ(store.committed(), 0U);
  EXPECT_THAT(rows("SELECT * FROM epochs"), IsEmpty());
  store.flush();
  EXPECT_EQ(store.committed(), 2U);
  EXPECT_THAT(rows("SELECT trial, epoch, loss FROM epochs"), ElementsAre("1|1|1"));
}

TEST_F(StoreTest, CommitsByItselfAfterTheIntervalOrTheRows) {
  const auto wait_for = [](Store& store, std::uint64_t number) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (store.committed() < number && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    return store.committed();
  };
  {
    Store store(file, {.commit_interval = std::chrono::milliseconds(10)});
    store.reconcile(kStudy, some_cells(1), {0});
    EXPECT_EQ(wait_for(store, store.record(Event{"kind", "text"})), 1U);
  }
  Store store(file, {.commit_interval = std::chrono::hours(1), .commit_rows = 3});
  for (int i = 0; i < 3; ++i) store.record(Event{"kind", "text"});
  EXPECT_EQ(wait_for(store, 3), 3U);
}

// The trial is cancelled at once, its attempt ends later, or not before the run does.
TEST_F(StoreTest, ACancelledTrialsAttemptIsLostWithItsRun) {
  TrialId trial;
  {
    Store store(file);
    trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
    store.record(began(trial));
    store.record(TrialFailed{trial, FailureKind::cancelled});
  }
  Store store(file);
  store.reconcile(kStudy, some_cells(1), {0});
  EXPECT_THAT(rows("SELECT outcome FROM attempts"), ElementsAre("lost"));
  EXPECT_THAT(rows("SELECT state, failure FROM trials"), ElementsAre("failed|cancelled"));
}

TEST_F(StoreTest, DestructionFlushes) {
  {
    Store store(file, {.commit_interval = std::chrono::hours(1)});
    store.record(Event{"run begins", "here"});
  }
  EXPECT_THAT(rows("SELECT kind, text FROM event"), ElementsAre("run begins|here"));
}

TEST_F(StoreTest, AuditEventsCanBeTurnedOff) {
  Store store(file, {.audit_events = false});
  store.record(Event{"kind", "text"});
  store.flush();
  EXPECT_THAT(rows("SELECT * FROM event"), IsEmpty());
}

TEST_F(StoreTest, RepeatedMessagesChangeNothing) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  for (int repeat = 0; repeat < 2; ++repeat) {
    store.record(began(trial));
    store.record(epoch(trial, 1, {{"loss", repeat ? 9.0 : 1.0}}));
    store.record(epoch(trial, 2, {{"loss", repeat ? 9.0 : 0.5}}));
    store.record(finished(trial, 2, {{"loss", repeat ? 9.0 : 0.25}}));
  }
  store.record(epoch(trial, 3, {{"loss", 9}}));  // late: the trial is finished
  store.record(began(trial, 2));                 // likewise
  store.record(failed(trial, FailureKind::crash, true, 2));
  store.flush();
  EXPECT_THAT(rows("SELECT epoch, loss FROM epochs"), ElementsAre("1|1", "2|0.5"));
  EXPECT_THAT(rows("SELECT state, attempts, epochs, loss, failure FROM trials"),
              ElementsAre("finished|1|2|0.25|null"));
}

TEST_F(StoreTest, ANewerAttemptsEpochReplacesAnOlderOnes) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial, 1));
  for (int e = 1; e <= 3; ++e) store.record(epoch(trial, e, {{"loss", 1.0}, {"old", 1.0}}, 1));
  store.record(failed(trial, FailureKind::crash, false, 1));
  store.record(began(trial, 2));
  store.record(epoch(trial, 1, {{"loss", 2}}, 2));
  store.record(epoch(trial, 2, {{"loss", 9}}, 1));  // of the attempt that is over
  store.flush();
  EXPECT_THAT(rows("SELECT epoch, attempt, loss, old, state_hash FROM epochs"),
              ElementsAre("1|2|2|null|state-2-1", "2|1|1|1|state-1-2", "3|1|1|1|state-1-3"));
}

TEST_F(StoreTest, EpochsOfSeveralSlotsTellHowAGangScalesAndNotHowLongAnEpochTakes) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  AttemptBegan attempt = began(trial);
  attempt.device_kind = "NVIDIA H200";
  attempt.precision = "tf32";
  store.record(attempt);
  for (const auto& [number, members, seconds] :
       {std::tuple{1, 1, 4.0}, {2, 1, 6.0}, {3, 2, 3.0}, {4, 4, 1.5}, {5, 4, 2.5}}) {
    EpochDone record = epoch(trial, number, {{"loss", 1}}, 1, seconds);
    record.epoch.members = members;
    store.record(record);
  }
  store.record(finished(trial, 5));
  store.flush();
  const StoredTrial stored = store.reconcile(kStudy, some_cells(1), {0})[0];
  EXPECT_EQ(stored.mean_epoch_seconds, 5);
  EXPECT_EQ(stored.gang_epoch_seconds, (std::map<int, double>{{2, 3.0}, {4, 2.0}}));
  const TrialInfo read = Reader(file).trials("p1")[0];
  EXPECT_EQ(read.mean_epoch_seconds, 5);
  EXPECT_EQ(read.gang_epoch_seconds, stored.gang_epoch_seconds);
  EXPECT_THAT(rows("SELECT epoch, members FROM epochs WHERE epoch IN (1, 4)"),
              ElementsAre("1|1", "4|4"));
  EXPECT_THAT(rows("SELECT device_kind, precision FROM attempts"), ElementsAre("NVIDIA H200|tf32"));
}

TEST_F(StoreTest, ASecondMessageForAnEpochAddsItsMetrics) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  store.record(epoch(trial, 1, {{"loss", 1}}, 1, 0.5));
  store.record(epoch(trial, 1, {{"val_loss", 2}}, 1, 0.75));
  store.flush();
  EXPECT_THAT(rows("SELECT epoch, loss, val_loss, wall_seconds FROM epochs"),
              ElementsAre("1|1|2|0.75"));
}

TEST_F(StoreTest, ARecordThatCantBeStoredFailsItsAttemptAndNoOther) {
  Store store(file);
  const auto trials = store.reconcile(kStudy, some_cells(2), {0});
  for (const auto& trial : trials) store.record(began(trial.id));
  store.record(epoch(trials[0].id, 1, {{"loss", 1}}));
  store.record(epoch(trials[0].id, 2, {{"good", 1}, {std::string("b\0d", 3), 1}}));
  store.record(epoch(trials[1].id, 1, {{"loss", 2}}));
  store.record(finished(trials[1].id, 1));
  store.flush();
  EXPECT_THAT(rows("SELECT trial, epoch, loss FROM epochs"), ElementsAre("1|1|1", "2|1|2"));
  EXPECT_THAT(rows("SELECT trial, state, failure FROM trials"),
              ElementsAre("1|failed|spec", "2|finished|null"));
  EXPECT_THAT(rows("SELECT trial, attempt, kind, message LIKE '%control characters%' "
                   "FROM failures"),
              ElementsAre("1|1|spec|1"));
  const auto refused = store.take_refused();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].trial, trials[0].id);
  EXPECT_THAT(store.take_refused(), IsEmpty());
}

TEST_F(StoreTest, WhatIsNoTimeOrNoTextIsMadeSo) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  store.record(epoch(trial, 1, {{"loss", 1}}, 1, std::numeric_limits<double>::quiet_NaN()));
  auto failure = failed(trial, FailureKind::crash, true);
  failure.stderr_tail = "caf\xE9";
  store.record(failure);
  store.flush();
  EXPECT_THAT(rows("SELECT wall_seconds FROM epochs"), ElementsAre("0"));
  EXPECT_THAT(rows("SELECT stderr_tail FROM failures"), ElementsAre("caf\uFFFD"));
}

// In rollback-journal mode a commit waits for readers; a long query is no reason to end a run.
TEST_F(StoreTest, ADatabaseThatAnotherProgramLocksIsTriedAgain) {
  Store store(file, {.busy_timeout = std::chrono::milliseconds(10)});
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  {
    Database other(file, Database::Mode::existing);
    Transaction transaction(other);
    store.record(began(trial));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!store.locked_out_since() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(store.locked_out_since());
    store.record(epoch(trial, 1, {{"loss", 1}}));
  }
  store.flush();
  EXPECT_FALSE(store.locked_out_since());
  EXPECT_THAT(rows("SELECT trial, attempt, outcome FROM attempts"), ElementsAre("1|1|running"));
  EXPECT_THAT(rows("SELECT trial, epoch FROM epochs"), ElementsAre("1|1"));
}

TEST_F(StoreTest, AFileThatIsRemovedInMidRunEndsIt) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  std::filesystem::remove(file);
  EXPECT_THROW(store.flush(), StorageError);
}

TEST_F(StoreTest, ADatabaseBegunAnewUnderTheNameIsLeftAloneByTheRunBefore) {
  auto before = std::make_unique<Store>(file);
  before->reconcile(kStudy, some_cells(1), {0});
  for (const char* suffix : {"", "-wal", "-shm", ".lock"})
    std::filesystem::remove(file.string() + suffix);
  Store anew(file);
  anew.reconcile(kStudy, some_cells(2), {0});
  before.reset();
  EXPECT_THAT(rows("SELECT count(*) FROM trials"), ElementsAre("2"));
}

TEST_F(StoreTest, ALogThatIsRemovedInMidRunEndsItAndWhatIsDurableIsKept) {
  {
    Store store(file);
    const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
    store.record(began(trial));
    store.flush();
    std::filesystem::remove(file.string() + "-wal");
    store.record(epoch(trial, 1, {}));
    EXPECT_THAT([&] { store.flush(); },
                ::testing::ThrowsMessage<StorageError>(::testing::HasSubstr("windrow.db-wal")));
  }
  EXPECT_THAT(rows("SELECT trial, attempt FROM attempts"), ElementsAre("1|1"));
}

TEST_F(StoreTest, FinishRemovesEpochsBeyondTheTrialsEnd) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial, 1));
  for (int e = 1; e <= 4; ++e) store.record(epoch(trial, e, {{"loss", 10.0 - e}}, 1));
  store.record(began(trial, 2));
  store.record(finished(trial, 2, {}, 2));
  store.flush();
  EXPECT_THAT(rows("SELECT epoch, loss FROM epochs"), ElementsAre("1|9", "2|8"));
  EXPECT_THAT(rows("SELECT count(*) FROM epoch_metric"), ElementsAre("2"));
  // Without a result of its own, the last epoch's metrics are the trial's.
  EXPECT_THAT(rows("SELECT epochs, loss, wall_seconds FROM trials"), ElementsAre("2|8|1"));
}

TEST_F(StoreTest, NanIsNull) {
  Store store(file);
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  store.record(epoch(trial, 1, {{"loss", std::nan("")}, {"accuracy", 0.5}}));
  store.record(finished(trial, 1));
  store.flush();
  EXPECT_THAT(rows("SELECT loss, accuracy FROM epochs"), ElementsAre("null|0.5"));
  EXPECT_THAT(rows("SELECT loss, accuracy FROM trials"), ElementsAre("null|0.5"));
}

TEST_F(StoreTest, FailuresAreCountedByKindUntilForgiven) {
  Store store(file);
  const auto cells = some_cells(2);
  const auto ids = store.reconcile(kStudy, cells, {0});
  AttemptFailed unbegun = failed(ids[0].id, FailureKind::oom, false, 1);
  unbegun.began = false;
  store.record(unbegun);
  store.record(began(ids[0].id, 2));
  store.record(epoch(ids[0].id, 1, {{"loss", 1}}, 2, 4.0));
  store.record(failed(ids[0].id, FailureKind::crash, true, 2));
  auto trials = store.reconcile(kStudy, cells, {0});
  EXPECT_EQ(trials[0].state, TrialState::failed);
  EXPECT_EQ(trials[0].failure, FailureKind::crash);
  EXPECT_EQ(trials[0].attempts, 2);
  EXPECT_EQ(trials[0].committed_epochs, 1);
  EXPECT_DOUBLE_EQ(trials[0].mean_epoch_seconds, 4.0);
  EXPECT_EQ(trials[0].failures_by_kind,
            (std::map<FailureKind, int>{{FailureKind::oom, 1}, {FailureKind::crash, 1}}));
  EXPECT_THAT(trials[1].failures_by_kind, IsEmpty());

  EXPECT_EQ(store.reset_failed("another study"), 0);
  EXPECT_EQ(store.reset_failed("p1"), 1);
  trials = store.reconcile(kStudy, cells, {0});
  EXPECT_EQ(trials[0].state, TrialState::pending);
  EXPECT_EQ(trials[0].failure, std::nullopt);
  EXPECT_THAT(trials[0].failures_by_kind, IsEmpty());
  EXPECT_EQ(trials[0].attempts, 2);  // numbers are not used twice
}

TEST_F(StoreTest, RunsThatWereStoppedWithATrialAreCountedWhereNothingIsChargedToIt) {
  Store store(file);
  const auto cells = some_cells(1);
  const TrialId trial = store.reconcile(kStudy, cells, {0})[0].id;
  store.record(began(trial));
  store.record(failed(trial, FailureKind::crash, false));
  store.record(FailureForgiven{.trial = trial, .run_stopped = true});
  EXPECT_EQ(store.reconcile(kStudy, cells, {0})[0].stopped_runs, 1);
}

// Whose fault a failure was is known once its host did well, or the trial failed elsewhere too.
TEST_F(StoreTest, FailuresThatNothingHasExplainedAreToldWithTheirHosts) {
  Store store(file);
  const auto cells = some_cells(2);
  const auto ids = store.reconcile(kStudy, cells, {0});
  const auto unexplained = [&] {
    std::vector<std::string> told;
    for (const StoredTrial& trial : store.reconcile(kStudy, cells, {0}))
      for (const UnexplainedFailure& failure : trial.unexplained)
        told.push_back(std::to_string(trial.id.value) + " " + std::to_string(failure.attempt) +
                       " " + std::string(to_string(failure.kind)) + " " + failure.host);
    return told;
  };
  const auto fails = [&](TrialId trial, int attempt, FailureKind kind, const std::string& host) {
    AttemptBegan begins = began(trial, attempt);
    begins.host = host;
    store.record(begins);
    AttemptFailed fails = failed(trial, kind, false, attempt);
    fails.host = host;
    store.record(fails);
  };
  fails(ids[0].id, 1, FailureKind::crash, "n1");
  fails(ids[0].id, 2, FailureKind::hang, "n1");
  fails(ids[0].id, 3, FailureKind::oom, "n2");  // no machine's fault
  EXPECT_THAT(unexplained(), ElementsAre("1 1 crash n1", "1 2 hang n1"));
  fails(ids[0].id, 4, FailureKind::crash, "n3");
  EXPECT_THAT(unexplained(), ElementsAre("1 4 crash n3"));
  // The clock counts milliseconds.
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  AttemptBegan begins = began(ids[1].id, 1);
  begins.host = "n3";
  store.record(begins);
  store.record(epoch(ids[1].id, 1, {{"loss", 1}}));
  store.record(finished(ids[1].id, 1));
  EXPECT_THAT(unexplained(), IsEmpty());
}

TEST_F(StoreTest, WhatADeadRunLeftRunningIsPending) {
  const auto cells = some_cells(1);
  {
    Store store(file);
    const TrialId trial = store.reconcile(kStudy, cells, {0})[0].id;
    store.record(began(trial));
    store.record(epoch(trial, 1, {{"loss", 1}}));
    EXPECT_EQ(store.reconcile(kStudy, cells, {0})[0].state, TrialState::running);
  }
  Store store(file);
  const auto trial = store.reconcile(kStudy, cells, {0})[0];
  EXPECT_EQ(trial.state, TrialState::pending);
  EXPECT_EQ(trial.attempts, 1);
  EXPECT_EQ(trial.committed_epochs, 1);
  EXPECT_THAT(rows("SELECT outcome FROM attempts"), ElementsAre("lost"));
}

TEST_F(StoreTest, CellMetricsAreMeansOverFinishedTrials) {
  Store store(file);
  const auto trials = store.reconcile(kStudy, some_cells(2), {0, 1, 2});
  for (int i = 0; i < 2; ++i) {
    store.record(began(trials[i].id));
    store.record(finished(trials[i].id, 0, {{"loss", 1.0 + i}}));
  }
  store.record(began(trials[2].id));
  store.record(epoch(trials[2].id, 1, {{"loss", 100}}));  // not finished
  const auto metrics = store.begin_cell_metrics("p1", {0, 1, 2}).get();
  ASSERT_EQ(metrics.size(), 1U);
  EXPECT_DOUBLE_EQ(metrics.at("cell-0").at("loss"), 1.5);
}

TEST_F(StoreTest, AnErrorOfTheWriterIsThrownAndNothingHalfIsKept) {
  Store store(file, {.commit_interval = std::chrono::hours(1)});
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  store.flush();
  store.record(epoch(trial, 1, {{"loss", 1}}));
  store.record(began(TrialId{99}));  // there is no such trial
  EXPECT_THAT(storage_error([&] { store.flush(); }), ::testing::HasSubstr("FOREIGN KEY"));
  EXPECT_NE(storage_error([&] { store.record(Event{}); }), "");
  EXPECT_NE(storage_error([&] { (void)store.committed(); }), "");
  EXPECT_NE(storage_error([&] { store.begin_cell_metrics("p1", {0, 1, 2}).get(); }), "");
  EXPECT_THAT(rows("SELECT * FROM epoch"), IsEmpty());
}

}  // namespace
}  // namespace windrow::storage
