// Cells whose budget of epochs was raised: which they are, and what becomes of their trials.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "storage/raised_budget.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string hash_of(const Json& parameters) {
  return parameters.dump();
}

// Of model m and these epochs.
CellRecord cell(int epochs, const std::string& model = "m") {
  const Json parameters = {{"epochs", epochs}, {"model", model}};
  return {hash_of(parameters), parameters, {"main"}, {}};
}

std::vector<std::string> raised(const std::vector<CellRecord>& present,
                                const std::vector<CellRecord>& stored) {
  std::vector<std::string> texts;
  for (const RaisedCell& one : raised_cells(present, stored, "epochs", hash_of))
    texts.push_back(std::to_string(one.old_budget) + " to " + std::to_string(one.new_budget) +
                    (one.from == hash_of(cell(one.old_budget).parameters) ? "" : " of another"));
  return texts;
}

TEST(RaisedCells, AreThoseThatDifferInASmallerBudgetOnly) {
  EXPECT_THAT(raised({cell(40)}, {cell(20)}), ElementsAre("20 to 40"));
  EXPECT_THAT(raised({cell(20)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(raised({cell(10)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(raised({cell(40)}, {cell(20, "other")}), IsEmpty());
}

TEST(RaisedCells, CellsThatTheStudyStillHasStayWhatTheyAre) {
  EXPECT_THAT(raised({cell(20), cell(40)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(raised({cell(20), cell(40)}, {cell(10), cell(20)}), ElementsAre("10 to 40"));
  EXPECT_THAT(raised({cell(40)}, {cell(20), cell(40)}), IsEmpty());
}

TEST(RaisedCells, TheOneThatIsFarthestGoesOn) {
  EXPECT_THAT(raised({cell(40)}, {cell(10), cell(30), cell(20)}), ElementsAre("30 to 40"));
  EXPECT_THAT(raised({cell(40), cell(80)}, {cell(20)}), ElementsAre("20 to 40"));
}

TEST(RaisedCells, WhatWasTrainedByAnotherRuleIsAnotherCell) {
  CellRecord other = cell(20);
  other.hash += " with early stopping";
  EXPECT_THAT(raised({cell(40)}, {other}), IsEmpty());
}

TEST(RaisedCells, NoBudgetNoRaise) {
  EXPECT_THAT(raised_cells({cell(40)}, {cell(20)}, "", hash_of), IsEmpty());
}

class RaisedStudy : public ::testing::Test {
 protected:
  std::vector<StoredTrial> reconcile(int epochs, bool stops_early = false) {
    StudyRecord study = kStudy;
    study.budget = "epochs";
    study.cell_hash = hash_of;
    study.stops_early = stops_early;
    return store.reconcile(study, {cell(epochs)}, {0, 1, 2});
  }
  void train(TrialId trial, int epochs, bool is_finished = true) {
    store.record(began(trial, 1, {{"weights", 7}}));
    for (int i = 1; i <= epochs; ++i) store.record(epoch(trial, i, {{"loss", 1.0 / i}}));
    if (is_finished) store.record(finished(trial, epochs, {{"test_loss", 5}}));
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "w.db";
  Store store{file};
};

TEST_F(RaisedStudy, FinishedTrialsGoOnFromTheirEpochs) {
  const auto before = reconcile(2);
  train(before[0].id, 2);
  train(before[1].id, 1, false);
  const auto after = reconcile(4);
  ASSERT_EQ(after.size(), 3u);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[0].state, TrialState::pending);
  EXPECT_EQ(after[0].committed_epochs, 2);
  EXPECT_EQ(after[0].raised_from, 2);
  EXPECT_EQ(after[0].attempts, 1);
  EXPECT_EQ(after[1].id, before[1].id);
  EXPECT_EQ(after[1].raised_from, 0);
  EXPECT_EQ(after[2].raised_from, 0);
  store.flush();
  EXPECT_THAT(rows(file, "SELECT DISTINCT epochs_parameter FROM trials"), ElementsAre("4"));
  EXPECT_THAT(rows(file, "SELECT epochs, test_loss FROM trials WHERE trial = 1"),
              ElementsAre("2|null"));
  EXPECT_EQ(reconcile(4)[0].raised_from, 0);  // said once
}

TEST_F(RaisedStudy, WhatWasStoppedEarlyIsOver) {
  const auto before = reconcile(4, true);
  train(before[0].id, 2);
  train(before[1].id, 4);
  const auto after = reconcile(8, true);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[0].state, TrialState::finished);
  EXPECT_EQ(after[1].state, TrialState::pending);
  EXPECT_EQ(after[1].raised_from, 4);
  store.flush();
  EXPECT_THAT(rows(file, "SELECT test_loss FROM trials WHERE state = 'finished'"),
              ElementsAre("5"));
}

}  // namespace
}  // namespace windrow::storage
