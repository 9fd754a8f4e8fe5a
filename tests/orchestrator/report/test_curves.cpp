// Learning curves: which trials a line is the mean of, and what is left out.
#include <gmock/gmock.h>

#include <cmath>

#include "recorded_study.h"

namespace windrow::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Curves : public RecordedStudy {
 protected:
  std::vector<Line> lines(const Drawing& drawing) {
    return std::get<LineChart>(drawing.content).lines;
  }
};

const std::string kByOptimizer =
    "report: {figures: [{name: c, kind: curves, metric: loss, by: optimizer}]}";

TEST_F(Curves, ALineIsTheMeanOverSeedsWithTheIntervalOfStudentsT) {
  begin("grid: {optimizer: [sgd, adam]}, seeds: 2, " + kByOptimizer);
  train(1, {4, 2});
  train(2, {6, 2});
  train(3, {1, 0.5});
  const auto drawn = draw();
  ASSERT_EQ(drawn.size(), 1u);
  EXPECT_EQ(drawn[0].title, "loss by epoch");
  EXPECT_EQ(drawn[0].x_label, "epoch");
  ASSERT_EQ(lines(drawn[0]).size(), 2u);
  EXPECT_EQ(lines(drawn[0])[0].label, "sgd");
  // 4 and 6: sd sqrt(2), half-width 12.7062 sqrt(2) / sqrt(2)
  EXPECT_EQ(shown(lines(drawn[0])[0].points), "1:5±12.71/2 2:2±0/2");
  EXPECT_EQ(lines(drawn[0])[1].label, "adam");
  EXPECT_EQ(shown(lines(drawn[0])[1].points), "1:1/1 2:0.5/1");
  EXPECT_NE(lines(drawn[0])[0].colour, lines(drawn[0])[1].colour);
  EXPECT_THAT(drawn[0].notes, ElementsAre(HasSubstr("95% interval")));
}

TEST_F(Curves, FailedTrialsAndNumbersThatAreNoneTakeNoPart) {
  begin("grid: {optimizer: [sgd]}, seeds: 3, " + kByOptimizer);
  train(1, {4, 2});
  train(2, {8, std::nan("")});
  train(3, {1e9, 1e9});
  fail(3);
  const auto drawn = draw();
  EXPECT_EQ(shown(lines(drawn[0])[0].points), "1:6±25.41/2 2:2/1");
  EXPECT_THAT(drawn[0].notes, testing::Contains(HasSubstr("1 failed trial takes no part")));
}

// Not the mean over whom is left: it would rise where the better one ends.
TEST_F(Curves, ATrialThatEndsEarlierCountsWithItsLastValue) {
  begin("grid: {optimizer: [sgd]}, seeds: 3, " + kByOptimizer);
  train(1, {4, 1});
  train(2, {4, 3, 3, 2});
  train(3, {4});
  finish(1);
  finish(2);  // the third one runs
  EXPECT_EQ(shown(lines(draw()[0])[0].points), "1:4±0/3 2:2±12.71/2 3:2±12.71/2 4:1.5±6.353/2");
}

TEST_F(Curves, WhereAndStageChooseTheCells) {
  begin(
      "stages: {a: {grid: {optimizer: [sgd, adam], rate: [0.1, 0.2]}}, b: {grid: {optimizer: "
      "[adam], rate: [0.4]}}}, report: {figures: [{kind: curves, metric: loss, where: {optimizer: "
      "adam, rate: [0.1, 0.4]}}, {kind: curves, metric: loss, stage: b}]}");
  for (int trial = 1; trial <= 5; ++trial) train(trial, {1.0 * trial});
  const auto drawn = draw();
  ASSERT_EQ(drawn.size(), 2u);
  ASSERT_EQ(lines(drawn[0]).size(), 2u);
  EXPECT_EQ(lines(drawn[0])[0].label, "rate 0.1") << "what doesn't differ is not in the label";
  EXPECT_EQ(shown(lines(drawn[0])[0].points), "1:3/1");
  EXPECT_EQ(shown(lines(drawn[0])[1].points), "1:5/1");
  ASSERT_EQ(lines(drawn[1]).size(), 1u);
  EXPECT_EQ(lines(drawn[1])[0].label, "loss");
  EXPECT_EQ(drawn[1].title, "loss by epoch, stage b");
}

TEST_F(Curves, SeveralMetricsOfACellShareItsColour) {
  begin(
      "grid: {x: [1, 2]}, report: {columns: {x: X, loss: Loss}, figures: [{kind: curves, metric: "
      "[loss, error]}]}");
  for (int trial = 1; trial <= 2; ++trial) {
    start(trial);
    storage::EpochDone done;
    done.epoch.trial = {trial};
    done.epoch.metrics = {{"loss", 1.0}, {"error", 0.5}};
    done.epoch.epoch = 1;
    store.record(done);
  }
  const auto drawn = lines(draw()[0]);
  ASSERT_EQ(drawn.size(), 4u);
  EXPECT_EQ(drawn[0].label, "X 1, Loss");
  EXPECT_EQ(drawn[1].label, "X 1, error");
  EXPECT_EQ(drawn[0].colour, drawn[1].colour);
  EXPECT_NE(drawn[0].dash, drawn[1].dash);
  EXPECT_NE(drawn[0].colour, drawn[2].colour);
  EXPECT_EQ(drawn[0].dash, drawn[2].dash);
}

TEST_F(Curves, ManyEpochsAreThinnedOutAndTheLastOneStays) {
  begin("grid: {optimizer: [sgd]}, " + kByOptimizer);
  train(1, std::vector<double>(1001, 1.0));
  const auto drawn = draw();
  const auto points = lines(drawn[0])[0].points;
  EXPECT_LE(points.size(), kMaxLinePoints);
  EXPECT_GE(points.size(), kMaxLinePoints / 2);
  EXPECT_EQ(points.back().x, 1001);
  EXPECT_THAT(drawn[0].notes, ElementsAre(HasSubstr("evenly spaced epochs")));
}

TEST_F(Curves, ManyLinesAreCutAndTheNotesSaySo) {
  std::string values;
  for (int i = 0; i < 30; ++i) values += (i > 0 ? ", " : "") + std::to_string(i);
  begin("grid: {x: [" + values + "]}, report: {figures: [{kind: curves, metric: loss}]}");
  for (int trial = 1; trial <= 30; ++trial) train(trial, {1});
  const auto drawn = draw();
  EXPECT_EQ(lines(drawn[0]).size(), kMaxLines);
  EXPECT_THAT(drawn[0].notes, ElementsAre(HasSubstr("24 of 30 lines")));
}

TEST_F(Curves, ALogarithmicAxisHasNoPlaceForZero) {
  begin("grid: {x: [1]}, report: {figures: [{kind: curves, metric: loss, log_y: true}]}");
  train(1, {1, 0, -1, 2});
  EXPECT_EQ(shown(lines(draw()[0])[0].points), "1:1/1 4:2/1");
}

// The first epoch of twenty lies far above the others.
TEST_F(Curves, TheAxisEndsAtWhatTheLaterEpochsNeed) {
  begin("grid: {optimizer: [sgd, adam]}, " + kByOptimizer);
  std::vector<double> falling{9.0, 3.0};
  for (int i = 0; i <= 17; ++i) falling.push_back(2.0 - i / 17.0);
  train(1, falling);
  train(2, {1.0, 0.9});  // too short to leave out any
  const auto drawn = draw();
  ASSERT_TRUE(drawn[0].y_range);
  EXPECT_NEAR(drawn[0].y_range->least, 0.9 - 0.03 * 1.1, 1e-9);
  EXPECT_NEAR(drawn[0].y_range->most, 2.0 + 0.03 * 1.1, 1e-9);
  EXPECT_EQ(lines(drawn[0])[0].points.size(), 20u);
  EXPECT_THAT(drawn[0].notes, testing::Contains(HasSubstr("what lies beyond is not shown")));
}

// Of two seeds Student's t makes intervals some 13 times the lines' distance.
TEST_F(Curves, WideIntervalsLeaveTheAxis) {
  begin("grid: {optimizer: [sgd]}, seeds: 2, " + kByOptimizer);
  train(1, {2.0, 1.9, 1.8, 1.7, 1.6, 1.5});
  train(2, {2.2, 2.1, 2.0, 1.9, 1.8, 1.7});
  const auto range = draw()[0].y_range;
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->least, 1.6 - 0.03 * 0.4, 1e-9);
  EXPECT_NEAR(range->most, 2.0 + 0.03 * 0.4, 1e-9);
}

TEST_F(Curves, TheAxisShowsAllWhereTheFirstEpochsTakeLittleOfIt) {
  begin(
      "grid: {optimizer: [sgd]}, report: {figures: [{kind: curves, metric: loss}, "
      "{kind: curves, metric: loss, log_y: true}]}");
  std::vector<double> falling{2.4};
  for (int i = 0; i < 19; ++i) falling.push_back(2.0 - i / 18.0);
  train(1, falling);
  for (const Drawing& drawing : draw()) EXPECT_FALSE(drawing.y_range) << drawing.name;
}

TEST_F(Curves, OnALogarithmicAxisShorterIsMeantInPowers) {
  begin("grid: {x: [1]}, report: {figures: [{kind: curves, metric: loss, log_y: true}]}");
  std::vector<double> falling{50.0};
  for (int i = 0; i < 9; ++i) falling.push_back(std::pow(10.0, -i / 8.0));
  train(1, falling);
  const auto range = draw()[0].y_range;
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->least, 0.1 / 1.1, 1e-9);
  EXPECT_NEAR(range->most, 1.1, 1e-9);
}

TEST_F(Curves, WhatIsMissingIsSaid) {
  begin(
      "grid: {x: [1]}, report: {figures: [{kind: curves, metric: other}, {kind: curves, metric: "
      "loss, where: {x: 7}}]}");
  train(1, {1});
  const auto drawn = draw();
  EXPECT_EQ(drawn[0].missing, "no epoch with other yet");
  EXPECT_THAT(drawn[1].missing, HasSubstr("no trial of the study"));
  EXPECT_THAT(lines(drawn[1]), IsEmpty());
}

TEST_F(Curves, AreDrawnOfEachMetricWhereTheStudyDeclaresNone) {
  begin("grid: {x: [1, 2]}");
  train(1, {1, 2});
  train(2, {1, 2});
  finish(1);
  finish(2);
  std::vector<std::string> titles;
  for (const Drawing& drawing : draw()) titles.push_back(drawing.title);
  EXPECT_THAT(titles, ElementsAre("loss by epoch"));
}

TEST_F(Curves, NoneAreDrawnWhereTheListIsEmpty) {
  begin("grid: {x: [1]}, report: {figures: []}");
  train(1, {1});
  EXPECT_THAT(draw(), IsEmpty());
}

}  // namespace
}  // namespace windrow::report
