// Trials that are taken back begin anew, and what they were stays on record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using protocol::FailureKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RedoTest : public ::testing::Test {
 protected:
  RedoTest() : store(file), trials(store.reconcile(kStudy, some_cells(3), {0})) {}
  TrialId id(int i) const { return trials[static_cast<std::size_t>(i)].id; }
  void run(TrialId trial, int attempt, const std::string& program, double loss) {
    AttemptBegan began_by = began(trial, attempt, {{"weights", 7}});
    began_by.program = program;
    store.record(ProgramRecord{{program, {"python3", "train.py"}, {{"train.py", program}}}});
    store.record(began_by);
    store.record(epoch(trial, 1, {{"loss", loss}}, attempt));
  }
  void finish(TrialId trial, int attempt, double loss) {
    store.record(storage::finished(trial, 1, {{"test_loss", loss}}, attempt));
  }
  std::vector<std::string> programs(const std::string& study = "p1") {
    store.flush();
    std::vector<std::string> made;
    for (const TrialProgram& one : Reader(file).trial_programs(study))
      made.push_back(std::to_string(one.trial) + (one.finished ? " finished " : " begun ") +
                     one.program);
    return made;
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "w.db";
  Store store;
  std::vector<StoredTrial> trials;
};

TEST_F(RedoTest, TheResultGoesAndItsAttemptKeepsIt) {
  run(id(0), 1, "old", 1);
  finish(id(0), 1, 5);
  run(id(1), 1, "old", 2);
  finish(id(1), 1, 6);
  EXPECT_EQ(store.redo({id(0), id(2)}), 1);  // the other was never begun
  EXPECT_THAT(rows(file, "SELECT state, epochs, loss, test_loss, weights, attempts FROM trials"),
              ElementsAre("pending|0|null|null|null|1", "finished|1|2|6|7|1",
                          "pending|0|null|null|null|0"));
  EXPECT_THAT(
      rows(file, "SELECT trial, outcome, taken_back FROM attempts"),
      ElementsAre("1|finished|{\"weights\":7,\"loss\":1.0,\"test_loss\":5.0}", "2|finished|null"));
  EXPECT_THAT(rows(file, "SELECT trial FROM epochs"), ElementsAre("2"));
}

// Also one that had not begun when it was cancelled, or of which that was heard too late: its
// number is no later one's.
TEST_F(RedoTest, OfACancelledTrialTheNextAttemptHasANumberOfItsOwn) {
  for (const bool begins : {false, true}) {
    const TrialId trial = id(begins);
    run(trial, 1, "old", 1);
    store.record(failed(trial, FailureKind::preempted, false, 1));
    store.record(TrialFailed{trial, FailureKind::cancelled});
    if (begins) store.record(began(trial, 2, {}));
    store.record(failed(trial, FailureKind::cancelled, false, 2));
    store.redo({trial});
    const auto again = store.reconcile(kStudy, some_cells(3), {0});
    const StoredTrial& stored = again[begins];
    EXPECT_EQ(stored.attempts, 2) << begins;
    EXPECT_EQ(stored.state, TrialState::pending) << begins;
    run(trial, 3, "new", 0.5);
    finish(trial, 3, 0.5);
    store.flush();
  }
  EXPECT_THAT(rows(file, "SELECT state, test_loss, attempts FROM trials"),
              ElementsAre("finished|0.5|3", "finished|0.5|3", "pending|null|0"));
}

TEST_F(RedoTest, TheNextAttemptIsAllThatCounts) {
  run(id(0), 1, "old", 1);
  finish(id(0), 1, 5);
  store.redo({id(0)});
  EXPECT_THAT(programs(), IsEmpty());
  const auto again = store.reconcile(kStudy, some_cells(3), {0});
  EXPECT_EQ(again[0].redone, 1);
  EXPECT_EQ(again[0].attempts, 1);
  EXPECT_EQ(again[0].committed_epochs, 0);
  run(id(0), 2, "new", 3);
  finish(id(0), 2, 7);
  EXPECT_THAT(programs(), ElementsAre("1 finished new"));
  EXPECT_THAT(rows(file, "SELECT state, loss, test_loss, attempts FROM trials LIMIT 1"),
              ElementsAre("finished|3|7|2"));
}

TEST_F(RedoTest, AFailedTrialGetsItsRetriesBack) {
  run(id(0), 1, "old", 1);
  store.record(failed(id(0), protocol::FailureKind::crash, true));
  store.flush();
  EXPECT_EQ(store.redo({id(0)}), 1);
  const auto again = store.reconcile(kStudy, some_cells(3), {0});
  EXPECT_EQ(again[0].state, TrialState::pending);
  EXPECT_THAT(again[0].failures_by_kind, IsEmpty());
}

TEST_F(RedoTest, ATrialOfTwoProgramsHasBoth) {
  run(id(0), 1, "old", 1);
  AttemptBegan second = began(id(0), 2);
  second.program = "new";
  store.record(second);
  store.record(epoch(id(0), 2, {{"loss", 0.5}}, 2));
  EXPECT_THAT(programs(), ElementsAre("1 begun old", "1 begun new"));
}

}  // namespace
}  // namespace windrow::storage
