// The Reader: what commands ask of the database, while a coordinator writes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "samples.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using protocol::FailureKind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// p1: cells 1 and 0 (in this grid order) of stage "main", cell 0 also of "second"; seeds 0 and 1.
// Trials: 1 finished, 2 running, 3 failed, 4 pending. p2: one trial, 5.
class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    auto cells = some_cells(2);
    std::swap(cells[0], cells[1]);
    cells[1].stages = {"main", "second"};
    store.reconcile(kStudy, cells, {0, 1});
    store.reconcile({"p2", "study: p2\n", "hash-2"}, {{"other", {{"width", 3}}, {"all"}}}, {0});
    store.record(began({1}));
    store.record(epoch({1}, 1, {{"loss", 1}}, 1, 2.0));
    store.record(epoch({1}, 2, {{"loss", 0.5}}, 1, 4.0));
    auto finish = finished({1}, 2);
    finish.finished.artefacts = {{"confusion", {{1, 2}, {3, 4}}}};
    store.record(finish);
    store.record(began({2}));
    store.record(epoch({2}, 1, {{"loss", 2}}, 1, 8.0));
    store.record(began({3}));
    store.record(failed({3}, FailureKind::nan, true));
    store.flush();
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  Store store{file};
};

TEST_F(ReaderTest, Studies) {
  Reader reader(file);
  const auto studies = reader.studies();
  ASSERT_EQ(studies.size(), 2U);
  EXPECT_EQ(studies[0].name, "p1");
  EXPECT_EQ(studies[0].text, "study: p1\n");
  EXPECT_EQ(studies[0].hash, "hash-1");
  EXPECT_EQ(reader.study("p2")->hash, "hash-2");
  EXPECT_EQ(reader.study("p3"), std::nullopt);
}

TEST_F(ReaderTest, TrialsInGridOrder) {
  const auto trials = Reader(file).trials("p1");
  ASSERT_EQ(trials.size(), 4U);
  EXPECT_EQ(trials[0].cell, "cell-1");
  EXPECT_EQ(trials[0].state, TrialState::finished);
  EXPECT_EQ(trials[0].epochs, 2);
  EXPECT_DOUBLE_EQ(trials[0].mean_epoch_seconds, 3.0);
  EXPECT_DOUBLE_EQ(trials[0].wall_seconds, 6.0);
  EXPECT_EQ(trials[1].seed, 1);
  EXPECT_EQ(trials[1].state, TrialState::running);
  EXPECT_EQ(trials[1].epochs, 1);
  EXPECT_DOUBLE_EQ(trials[1].mean_epoch_seconds, 8.0);
  EXPECT_EQ(trials[2].state, TrialState::failed);
  EXPECT_EQ(trials[2].attempts, 1);
  EXPECT_EQ(trials[3].state, TrialState::pending);
  EXPECT_EQ(trials[3].attempts, 0);
}

TEST_F(ReaderTest, CountsByStage) {
  Reader reader(file);
  const auto stages = reader.counts_by_stage("p1");
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_EQ(stages[0].stage, "main");
  EXPECT_EQ(stages[0].total(), 4);
  EXPECT_EQ(stages[0].finished, 1);
  EXPECT_EQ(stages[0].running, 1);
  EXPECT_EQ(stages[1].stage, "second");
  EXPECT_EQ(stages[1].failed, 1);
  EXPECT_EQ(stages[1].pending, 1);
  EXPECT_EQ(stages[1].total(), 2);
  EXPECT_EQ(reader.counts("p1").total(), 4);
  store.reconcile({"p2", "study: p2\n", "hash-2"}, {}, {0});  // its cell leaves the study
  EXPECT_EQ(reader.counts_by_stage("p2")[0].stage, "");
}

TEST_F(ReaderTest, WhatRunsIsWhereItsAttemptIs) {
  const auto epochs = [&] { return Reader(file).running().rows.at(0).at(3); };
  EXPECT_EQ(epochs(), Value(std::int64_t{1}));
  store.record(epoch({2}, 2, {{"loss", 2}}));
  store.record(epoch({2}, 3, {{"loss", 2}}));
  store.record(failed({2}, FailureKind::crash, false));
  auto second = began({2}, 2);
  second.resumed_from_epoch = 1;  // its newest checkpoints are gone
  store.record(second);
  store.flush();
  EXPECT_EQ(epochs(), Value(std::int64_t{1}));
  store.record(epoch({2}, 2, {{"loss", 2}}, 2));
  store.flush();
  EXPECT_EQ(epochs(), Value(std::int64_t{2}));
}

TEST_F(ReaderTest, ShowTellsAllOfATrial) {
  Reader reader(file);
  const auto trial = reader.show(1, 1);
  EXPECT_EQ(trial.parameters, R"({"lr":0.2,"optimizer":"sgd"})");
  EXPECT_EQ(trial.trial[0], (std::pair<std::string, Value>("trial", std::int64_t{1})));
  for (const auto& [column, value] : trial.trial) EXPECT_NE(column, "width");  // p2's parameter
  ASSERT_EQ(trial.attempts.rows.size(), 1U);
  ASSERT_EQ(trial.epochs.rows.size(), 1U);
  EXPECT_EQ(trial.epochs.rows[0][1], Value(std::int64_t{2}));
  EXPECT_THAT(trial.artefacts,
              ElementsAre(std::pair<std::string, std::string>("confusion", "[[1,2],[3,4]]")));
  EXPECT_EQ(reader.show(1, 0).epochs.rows.size(), 2U);
  EXPECT_EQ(reader.show(3).failures.rows.size(), 1U);
  EXPECT_THAT(storage_error([&] { reader.show(77); }),
              AllOf(HasSubstr("no trial 77"), HasSubstr("windrow query")));
}

// A stage that shares a cell with an earlier one has it at its own place.
TEST_F(ReaderTest, RowsComeInTheOrderOfTheStagesGrid) {
  std::vector<CellRecord> cells = some_cells(3);
  cells[0].stages = {"one"};
  cells[1].stages = {"one", "two"};
  cells[2].stages = {"two"};
  cells[0].places = {0};
  cells[1].places = {1, 1};
  cells[2].places = {0};
  store.reconcile({"p4", "study: p4\n", "hash-4"}, cells, {0});
  Reader reader(file);
  const auto cells_of = [](const ResultTable& table) {
    std::vector<std::string> cells;
    for (const auto& row : table.rows) cells.push_back(std::get<std::string>(row[3]));
    return cells;
  };
  EXPECT_THAT(cells_of(reader.tables("p4").trials),
              ElementsAre(cells[0].hash, cells[1].hash, cells[2].hash));
  EXPECT_THAT(cells_of(reader.tables("p4", "two").trials),
              ElementsAre(cells[2].hash, cells[1].hash));
}

TEST_F(ReaderTest, TablesOfAStudyOrOneOfItsStages) {
  Reader reader(file);
  const auto all = reader.tables("p1").trials;
  EXPECT_EQ(all.rows.size(), 4U);
  EXPECT_THAT(all.columns,
              ElementsAre("trial", "study", "stages", "cell", "seed", "state", "attempts", "epochs",
                          "lr", "optimizer", "loss", "wall_seconds", "failure", "host", "device"));
  EXPECT_EQ(reader.tables("p1", "second").trials.rows.size(), 2U);
  EXPECT_EQ(reader.tables("p1", "no such").trials.rows.size(), 0U);
  const auto summary = reader.tables("p1").summary;
  ASSERT_EQ(summary.rows.size(), 2U);
  EXPECT_EQ(summary.rows[0][2], Value("cell-1"));
  EXPECT_EQ(reader.tables("p1", "second").summary.rows[0][2], Value("cell-0"));
}

TEST_F(ReaderTest, TablesKnowTruthValuesWhichSqlDoesNot) {
  CellRecord cell = some_cells(1)[0];
  cell.hash = "with bias";
  cell.parameters["bias"] = true;
  store.reconcile({"p5", "study: p5\n", "hash-5"}, {cell}, {0});
  Reader reader(file);
  const auto trials = reader.tables("p5").trials;
  const auto bias = std::ranges::find(trials.columns, "bias") - trials.columns.begin();
  EXPECT_EQ(trials.rows.at(0).at(bias), Value(true));
  EXPECT_EQ(reader.query("SELECT bias FROM trials WHERE study = 'p5'").rows.at(0).at(0),
            Value(std::int64_t{1}));
}

TEST_F(ReaderTest, QueryKeepsTypes) {
  const auto table = Reader(file).query("SELECT 1 AS one, 0.5, 'text', NULL; -- and a comment");
  EXPECT_EQ(table.columns[0], "one");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre(Value(std::int64_t{1}), Value(0.5), Value("text"),
                                                  Value(std::monostate{}))));
  EXPECT_EQ(Reader(file).query("PRAGMA table_info(trials)").rows.size(), 16U);
}

TEST_F(ReaderTest, QueryRefusesWhatWritesAndSaysWhatIsWrong) {
  Reader reader(file);
  const auto other = (folder / "other.db").string();
  for (const std::string sql :
       {"DELETE FROM trial", "UPDATE trial SET state = 2", "INSERT INTO study VALUES (1)",
        "DROP VIEW trials", "CREATE TABLE t (x)", "PRAGMA query_only = OFF", "BEGIN", "VACUUM",
        "PRAGMA journal_mode = DELETE", "CREATE TEMP TABLE t (x)"})
    EXPECT_THAT(storage_error([&] { reader.query(sql); }), HasSubstr("only statements that read"))
        << sql;
  EXPECT_THAT(storage_error([&] { reader.query("ATTACH '" + other + "' AS o"); }),
              HasSubstr("only statements that read"));
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_THAT(storage_error([&] { reader.query("SELECT lost FROM trials"); }),
              AllOf(HasSubstr("no such column: lost"), HasSubstr("epochs, attempts")));
  EXPECT_THAT(storage_error([&] { reader.query("SELECT 1; SELECT 2"); }),
              HasSubstr("one statement at a time"));
  EXPECT_THAT(storage_error([&] { reader.query("  -- nothing"); }), HasSubstr("empty"));
  EXPECT_EQ(reader.counts("p1").total(), 4);
}

TEST_F(ReaderTest, SeesWhatIsCommittedAfterItWasOpened) {
  Reader reader(file);
  store.record(epoch({2}, 2, {{"loss", 1}, {"new", 7}}));
  store.flush();
  EXPECT_EQ(reader.query("SELECT new FROM epochs WHERE new IS NOT NULL").rows.size(), 1U);
}

}  // namespace
}  // namespace windrow::storage
