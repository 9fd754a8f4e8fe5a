// Cells whose budget of epochs has changed: which they are, and what becomes of their trials.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "samples.h"
#include "storage/changed_budget.h"
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

// `trained`: the most epochs that a trial of a cell has had, by the cell's budget.
std::vector<std::string> changed(const std::vector<CellRecord>& present,
                                 const std::vector<CellRecord>& stored,
                                 const std::map<int, int>& trained = {}) {
  const auto least = [&](const std::string& hash) {
    const auto found = trained.find(Json::parse(hash).at("epochs").get<int>());
    return found == trained.end() ? 0 : found->second;
  };
  std::vector<std::string> texts;
  for (const ChangedBudget& one : changed_budgets(present, stored, {"epochs", hash_of, least}))
    texts.push_back(std::to_string(one.old_budget) + " to " + std::to_string(one.new_budget) +
                    (one.from == hash_of(cell(one.old_budget).parameters) ? "" : " of another"));
  return texts;
}

TEST(ChangedBudgets, AreThoseOfCellsThatDifferInNothingElse) {
  EXPECT_THAT(changed({cell(40)}, {cell(20)}), ElementsAre("20 to 40"));
  EXPECT_THAT(changed({cell(20)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(changed({cell(40)}, {cell(20, "other")}), IsEmpty());
}

TEST(ChangedBudgets, AreLoweredWhereNoTrialIsBeyond) {
  EXPECT_THAT(changed({cell(10)}, {cell(20)}), ElementsAre("20 to 10"));
  EXPECT_THAT(changed({cell(10)}, {cell(20)}, {{20, 10}}), ElementsAre("20 to 10"));
  EXPECT_THAT(changed({cell(10)}, {cell(20)}, {{20, 11}}), IsEmpty());
  EXPECT_THAT(changed({cell(10), cell(15)}, {cell(20)}, {{20, 4}}), ElementsAre("20 to 15"));
  EXPECT_THAT(changed({cell(10), cell(15)}, {cell(20)}, {{20, 16}}), IsEmpty());
  EXPECT_THAT(changed({cell(10)}, {cell(20, "other")}), IsEmpty());
  EXPECT_THAT(changed({cell(10), cell(20)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(changed({cell(10), cell(30)}, {cell(20)}), ElementsAre("20 to 30"));
  // Of several that come to one, the one that has been trained longest; but one that is raised
  // first.
  EXPECT_THAT(changed({cell(10)}, {cell(20), cell(30)}, {{20, 3}, {30, 7}}),
              ElementsAre("30 to 10"));
  EXPECT_THAT(changed({cell(10)}, {cell(5), cell(30)}, {{5, 5}, {30, 7}}), ElementsAre("5 to 10"));
}

TEST(ChangedBudgets, CellsThatTheStudyStillHasStayWhatTheyAre) {
  EXPECT_THAT(changed({cell(20), cell(40)}, {cell(20)}), IsEmpty());
  EXPECT_THAT(changed({cell(20), cell(40)}, {cell(10), cell(20)}), ElementsAre("10 to 40"));
  EXPECT_THAT(changed({cell(40)}, {cell(20), cell(40)}), IsEmpty());
}

TEST(ChangedBudgets, TheOneThatIsFarthestGoesOn) {
  EXPECT_THAT(changed({cell(40)}, {cell(10), cell(30), cell(20)}), ElementsAre("30 to 40"));
  EXPECT_THAT(changed({cell(40), cell(80)}, {cell(20)}), ElementsAre("20 to 40"));
}

TEST(ChangedBudgets, WhatWasTrainedByAnotherRuleIsAnotherCell) {
  CellRecord other = cell(20);
  other.hash += " with early stopping";
  EXPECT_THAT(changed({cell(40)}, {other}), IsEmpty());
}

TEST(ChangedBudgets, NoBudgetNoChange) {
  EXPECT_THAT(changed_budgets({cell(40)}, {cell(20)}, {"", hash_of, {}}), IsEmpty());
}

class ChangedStudy : public ::testing::Test {
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

TEST_F(ChangedStudy, FinishedTrialsGoOnFromTheirEpochs) {
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

TEST_F(ChangedStudy, WhatWasStoppedEarlyIsOver) {
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

TEST_F(ChangedStudy, WhatHasNotGoneBeyondASmallerBudgetEndsThere) {
  const auto before = reconcile(9);
  train(before[0].id, 3, false);
  train(before[1].id, 2, false);
  const auto after = reconcile(3);
  ASSERT_EQ(after.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(after[i].id, before[i].id);
  EXPECT_EQ(after[0].committed_epochs, 3);
  EXPECT_TRUE(after[0].is_cut);
  EXPECT_TRUE(after[1].is_cut);
  EXPECT_FALSE(after[2].is_cut) << "it had not begun";
  store.flush();
  EXPECT_THAT(rows(file, "SELECT DISTINCT epochs_parameter FROM trials"), ElementsAre("3"));
  EXPECT_FALSE(reconcile(3)[0].is_cut);  // said once
  EXPECT_NE(reconcile(2)[0].id, before[0].id) << "one has gone beyond";
}

TEST_F(ChangedStudy, WhatHasFinishedAGreaterBudgetStaysAsItIs) {
  const auto before = reconcile(4);
  train(before[0].id, 4);
  const auto after = reconcile(3);
  EXPECT_NE(after[0].id, before[0].id);
  EXPECT_FALSE(after[0].is_cut);
  store.flush();
  EXPECT_THAT(rows(file, "SELECT test_loss FROM trials WHERE state = 'finished'"),
              ElementsAre("5"));
}

TEST_F(ChangedStudy, WhatWasStoppedEarlyWouldHaveBeenWithASmallerBudgetToo) {
  const auto before = reconcile(9, true);
  train(before[0].id, 2);
  train(before[1].id, 3, false);
  const auto after = reconcile(4, true);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[0].state, TrialState::finished);
  EXPECT_FALSE(after[0].is_cut);
  EXPECT_TRUE(after[1].is_cut);
}

}  // namespace
}  // namespace windrow::storage
