// The views that are made of a trial's artefacts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "storage/database.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ArtefactTest : public ::testing::Test {
 protected:
  // A finished trial with these artefacts.
  TrialId finish(const Json& artefacts) {
    const TrialId trial = store->reconcile(kStudy, some_cells(1), {seed++}).back().id;
    store->record(began(trial));
    AttemptFinished end = finished(trial, 0);
    end.finished.artefacts = artefacts;
    store->record(end);
    store->flush();
    return trial;
  }
  std::vector<std::string> rows(const std::string& sql) { return storage::rows(file, sql); }
  std::vector<std::string> columns(const std::string& view) {
    return Reader(file).query("SELECT * FROM " + view).columns;
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  std::optional<Store> store{std::in_place, file};
  std::int64_t seed = 0;
};

const Json kConfusion = {{"classes", {"cat", "dog"}}, {"counts", {{8, 2}, {1, 4}}}};

TEST_F(ArtefactTest, ColumnsAreAsDocumented) {
  EXPECT_THAT(columns("artefacts"), ElementsAre("trial", "name", "content"));
  EXPECT_THAT(columns("confusion"), ElementsAre("trial", "actual", "predicted", "images"));
  EXPECT_THAT(columns("class_accuracy"), ElementsAre("trial", "class", "images", "accuracy"));
}

TEST_F(ArtefactTest, AConfusionMatrixIsRowsOfTrueAndPredictedClass) {
  finish({{"confusion", kConfusion}, {"note", "n"}});
  EXPECT_THAT(rows("SELECT * FROM artefacts WHERE name = 'note'"), ElementsAre("1|note|\"n\""));
  EXPECT_THAT(rows("SELECT * FROM confusion"),
              ElementsAre("1|cat|cat|8", "1|cat|dog|2", "1|dog|cat|1", "1|dog|dog|4"));
  EXPECT_THAT(rows("SELECT * FROM class_accuracy"), ElementsAre("1|cat|10|0.8", "1|dog|5|0.8"));
}

TEST_F(ArtefactTest, EachTrialHasItsOwn) {
  finish({{"confusion", kConfusion}});
  finish({{"confusion", {{"classes", {"cat", "dog"}}, {"counts", {{10, 0}, {5, 0}}}}}});
  EXPECT_THAT(rows("SELECT trial, class, accuracy FROM class_accuracy"),
              ElementsAre("1|cat|0.8", "1|dog|0.8", "2|cat|1", "2|dog|0"));
}

TEST_F(ArtefactTest, AClassWithoutImagesHasNoAccuracy) {
  finish({{"confusion", {{"classes", {"cat", "dog"}}, {"counts", {{3, 1}, {0, 0}}}}}});
  EXPECT_THAT(rows("SELECT class, images, accuracy FROM class_accuracy"),
              ElementsAre("cat|4|0.75", "dog|0|null"));
}

TEST_F(ArtefactTest, ClassesWithoutNamesAreNumbered) {
  finish({{"confusion", {{"counts", {{3, 1}, {0, 2}}}}}});
  EXPECT_THAT(rows("SELECT actual, predicted, images FROM confusion"),
              ElementsAre("0|0|3", "0|1|1", "1|0|0", "1|1|2"));
}

TEST_F(ArtefactTest, WhatOnlyHasTheNameIsNoMatrix) {
  finish({{"confusion", "great"}});
  finish({{"confusion", {1, 2}}});
  finish({{"confusion", {{"counts", "many"}}}});
  finish({{"confusion", {{"counts", {"x", 2, Json::object()}}}}});
  EXPECT_THAT(rows("SELECT * FROM confusion"), IsEmpty());
  EXPECT_THAT(rows("SELECT * FROM class_accuracy"), IsEmpty());
}

TEST_F(ArtefactTest, AttemptsTellTheThreadsOfTheirSlots) {
  const TrialId trial = store->reconcile(kStudy, some_cells(1), {0})[0].id;
  for (const int slot : {3, 4, 33}) store->record(SlotRecord{{slot}, "n1", 0, "cpu", slot});
  auto gang = began(trial);
  gang.slots = {SlotId{3}, SlotId{4}};
  store->record(gang);
  store->record(failed(trial, protocol::FailureKind::crash, false));
  store->record(began(trial, 2));
  store->flush();
  EXPECT_THAT(rows("SELECT attempt, threads FROM attempts"), ElementsAre("1|7", "2|3"));
}

// As a windrow that knew no artefact views left it.
void make_older(const std::filesystem::path& file) {
  Database(file, Database::Mode::existing)
      .execute(
          "DROP VIEW artefacts; DROP VIEW confusion; DROP VIEW class_accuracy; DROP VIEW attempts; "
          "CREATE VIEW attempts AS SELECT trial, attempt FROM attempt");
}

TEST_F(ArtefactTest, AReaderOfAnOlderFileHasTheViewsAndDoesNotTouchIt) {
  finish({{"confusion", kConfusion}});
  store.reset();
  make_older(file);
  const auto written = std::filesystem::last_write_time(file);
  EXPECT_THAT(rows("SELECT count(*) FROM confusion"), ElementsAre("4"));
  EXPECT_THAT(rows("SELECT trial, attempt, outcome FROM attempts"), ElementsAre("1|1|finished"));
  EXPECT_EQ(std::filesystem::last_write_time(file), written);
  Database database(file, Database::Mode::read_only);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'confusion'"), 0);
}

TEST_F(ArtefactTest, AWriterGivesAnOlderFileTheViews) {
  finish({{"confusion", kConfusion}});
  store.reset();
  make_older(file);
  store.emplace(file);
  store.reset();
  Database database(file, Database::Mode::read_only);
  EXPECT_EQ(database.integer("SELECT count(*) FROM confusion"), 4);
}

TEST_F(ArtefactTest, EpochValuesComeByTrialAndEpochWithoutGaps) {
  const auto trials = store->reconcile(kStudy, some_cells(1), {0, 1});
  for (const auto& trial : trials) store->record(began(trial.id, 1, {{"weights", 7}}));
  store->record(epoch(trials[1].id, 1, {{"loss", 5}, {"state", 1}}));
  store->record(epoch(trials[0].id, 1, {{"loss", 3}}));
  store->record(epoch(trials[0].id, 2, {{"loss", std::nan("")}}));
  store->record(epoch(trials[0].id, 3, {{"loss", 2}}));
  store->flush();
  Reader reader(file);
  EXPECT_THAT(reader.epoch_metrics(), ElementsAre("loss", "state_metric"));
  std::vector<std::string> seen;
  const auto note = [&](std::int64_t trial, int number, double value) {
    seen.push_back(std::to_string(trial) + "|" + std::to_string(number) + "|" +
                   std::to_string(static_cast<int>(value)));
  };
  reader.each_epoch_value("p1", "loss", note);
  EXPECT_THAT(seen, ElementsAre("1|1|3", "1|3|2", "2|1|5"));
  seen.clear();
  reader.each_epoch_value("p1", "state_metric", note);
  EXPECT_THAT(seen, ElementsAre("2|1|1"));
  seen.clear();
  reader.each_epoch_value("another", "loss", note);
  EXPECT_THAT(seen, IsEmpty());
}

}  // namespace
}  // namespace windrow::storage
