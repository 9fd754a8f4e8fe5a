// Two databases of one study become one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "samples.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MergeTest : public ::testing::Test {
 protected:
  // The study's trials, of which those with these numbers (from 0) are run to their end.
  void make(const std::filesystem::path& file, const std::vector<int>& run, double loss = 1,
            int cells = 3) {
    Store store(file);
    const auto trials = store.reconcile(kStudy, some_cells(cells), {0});
    store.record(RunFacts{"/c"});
    store.record(SlotRecord{SlotId{3}, "n1", 2, "cpu", 4, {"4711", 0, "n7", 0}});
    store.record(EnvironmentRecord{{SlotId{3}}, {{"cpu", file.string()}}});
    store.record(SourceRecord{"commit", true, "diff in " + file.string()});
    store.record(ProgramRecord{{file.filename(), {"train"}, {{"train.py", "1"}}}});
    for (const int i : run) {
      const TrialId trial = trials[static_cast<std::size_t>(i)].id;
      AttemptBegan attempt = began(trial, 1, {{"weights", 7}});
      attempt.program = file.filename();
      store.record(attempt);
      store.record(epoch(trial, 1, {{"loss", loss + i}, {"nan", std::nan("")}}));
      store.record(epoch(trial, 2, {{"loss", loss + i + 1}}));
      store.record(epoch(trial, 3, {{"loss", loss + i + 1}}));
      store.record(finished(trial, 3, {{"test_loss", loss + i}}));
    }
    store.flush();
  }
  MergeReport merge() { return Store(here).merge(there); }

  TemporaryFolder folder;
  const std::filesystem::path here = folder / "here.db", there = folder / "there.db";
};

TEST_F(MergeTest, WhatIsOverThereIsTakenWithAllThatIsKnownOfIt) {
  make(here, {0});
  make(there, {1, 2});
  const MergeReport report = merge();
  EXPECT_EQ(report.taken, 2);
  EXPECT_EQ(report.unfinished, 1);
  EXPECT_THAT(report.conflicts, IsEmpty());
  EXPECT_THAT(report.other_texts, IsEmpty());
  const std::string all =
      "SELECT cell, state, epochs, loss, test_loss, weights, host FROM trials ORDER BY cell";
  EXPECT_THAT(rows(here, all),
              ElementsAre("cell-0|finished|3|2|1|7|n1", "cell-1|finished|3|3|2|7|n1",
                          "cell-2|finished|3|4|3|7|n1"));
  EXPECT_THAT(rows(here, "SELECT epoch, loss FROM epochs WHERE trial = 3"),
              ElementsAre("1|3", "2|4", "3|4"));
  EXPECT_THAT(rows(here, "SELECT DISTINCT node, job, threads, outcome FROM attempts"),
              ElementsAre("n7|4711|4|finished"));
  const std::string origin =
      "SELECT a.trial, p.program, s.git_diff, e.facts FROM attempts a JOIN programs p USING "
      "(program) JOIN sources s USING (source) JOIN environments e USING (environment) ORDER BY 1";
  const auto made_by = [&](const char* trial, const std::filesystem::path& file) {
    return std::string(trial) + "|" + file.filename().string() + "|diff in " + file.string() +
           "|{\"cpu\":\"" + file.string() + "\"}";
  };
  EXPECT_THAT(rows(here, origin),
              ElementsAre(made_by("1", here), made_by("2", there), made_by("3", there)));
  const std::string when = "SELECT recorded_at FROM programs WHERE program = 'there.db'";
  EXPECT_EQ(rows(here, when), rows(there, when));
  EXPECT_THAT(rows(there, "SELECT count(*) FROM trials WHERE state = 'finished'"),
              ElementsAre("2"));
  EXPECT_FALSE(std::filesystem::exists(here.string() + ".merge"));
}

TEST_F(MergeTest, ASecondTimeChangesNothing) {
  make(here, {0});
  make(there, {0, 1});
  EXPECT_EQ(merge().taken, 1);
  const MergeReport again = merge();
  EXPECT_EQ(again.taken, 0);
  EXPECT_EQ(again.same, 2);
  EXPECT_THAT(rows(here, "SELECT count(*), count(DISTINCT trial) FROM epochs"), ElementsAre("6|2"));
}

TEST_F(MergeTest, WhatDiffersIsToldAndStays) {
  make(here, {0});
  make(there, {0}, 5);
  const MergeReport report = merge();
  ASSERT_EQ(report.conflicts.size(), 1u);
  EXPECT_EQ(report.conflicts[0].study, "p1");
  EXPECT_EQ(report.conflicts[0].trial, 1);
  EXPECT_EQ(report.conflicts[0].what, "loss: 2.000000 and 6.000000");
  EXPECT_THAT(rows(here, "SELECT test_loss FROM trials WHERE state = 'finished'"),
              ElementsAre("1"));
}

TEST_F(MergeTest, NewCellsSeedsAndStudiesComeToo) {
  make(here, {0}, 1, 1);
  {
    Store store(there);
    auto study = kStudy;
    study.text = "study: p1 # edited\n";
    study.hash = "hash-2";
    for (const auto& trial : store.reconcile(study, some_cells(2), {0, 1})) {
      store.record(began(trial.id));
      store.record(finished(trial.id, 1, {{"test_loss", 9}}));
    }
    const auto other = store.reconcile({"other", "study: other\n", "h"}, some_cells(1), {7});
    store.record(failed(other[0].id, protocol::FailureKind::nan, true));
    store.flush();
  }
  const MergeReport report = merge();
  EXPECT_EQ(report.taken, 4);  // cell-0 seed 1, cell-1 seeds 0 and 1, the other study's
  EXPECT_EQ(report.conflicts.size(), 1u);
  EXPECT_THAT(report.other_texts, ElementsAre("p1"));
  EXPECT_THAT(rows(here, "SELECT study, cell, seed, state, stages FROM trials ORDER BY 1, 2, 3"),
              ElementsAre("other|cell-0|7|failed|main", "p1|cell-0|0|finished|main",
                          "p1|cell-0|1|finished|main", "p1|cell-1|0|finished|main",
                          "p1|cell-1|1|finished|main"));
  EXPECT_THAT(rows(here, "SELECT kind FROM failures"), ElementsAre("nan"));
}

TEST_F(MergeTest, AFileThatIsNoneOfOursIsRefused) {
  make(here, {0});
  EXPECT_NE(storage_error([&] { merge(); }), "");
}

}  // namespace
}  // namespace windrow::storage
