// Columns that are means over the last epochs.
#include <gmock/gmock.h>

#include "orchestrator/results/study_table.h"
#include "tests/orchestrator/report/recorded_study.h"

namespace windrow {
namespace {

using storage::Value;
using testing::ElementsAre;

class LastEpochs : public report::RecordedStudy {
 protected:
  storage::ResultTable table() {
    store.flush();
    storage::Reader reader(file);
    StudyTableWishes wishes;
    wishes.table.columns = study.report.columns;
    wishes.for_people = false;
    return make_study_table(reader, study, wishes).table;
  }
};

const std::string kColumns =
    "report: {columns: [x, {key: loss, label: Loss}, {key: loss, label: Last 2, last_epochs: 2}]}";

TEST_F(LastEpochs, AreAveragedBesideTheResult) {
  begin("grid: {x: [1, 2, 3, 4]}, " + kColumns);
  train(1, {9, 4, 2});
  train(2, {7});  // has no more
  train(3, {9, 1});
  for (const int trial : {1, 2}) finish(trial);
  fail(3);  // has no result; the fourth has not begun
  const storage::ResultTable made = table();
  EXPECT_THAT(made.columns, ElementsAre("x", "Loss", "Last 2", "failure"));
  ASSERT_EQ(made.rows.size(), 3U);
  EXPECT_EQ(made.rows[0][1], Value{2.0});
  EXPECT_EQ(made.rows[0][2], Value{3.0});
  EXPECT_EQ(made.rows[1][2], Value{7.0});
  EXPECT_EQ(made.rows[2][2], Value{});
}

TEST_F(LastEpochs, OfSeveralSeedsHaveAnInterval) {
  begin("grid: {x: [1]}, seeds: 2, " + kColumns);
  train(1, {9, 4, 2});
  train(2, {9, 6, 4});
  for (const int trial : {1, 2}) finish(trial);
  const storage::ResultTable made = table();
  ASSERT_EQ(made.columns[3], "Last 2");
  ASSERT_EQ(made.columns[4], "Last 2_ci95");
  EXPECT_EQ(made.rows[0][3], Value{4.0});  // of 3 and 5
  EXPECT_NEAR(std::get<double>(made.rows[0][4]), 12.7062, 1e-3);
}

}  // namespace
}  // namespace windrow
