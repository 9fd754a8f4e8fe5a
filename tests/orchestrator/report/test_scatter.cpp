// Points for cells.
#include <gmock/gmock.h>

#include "recorded_study.h"

namespace windrow::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ScatterTest : public RecordedStudy {
 protected:
  std::vector<Point> points(const Drawing& drawing) {
    return std::get<Scatter>(drawing.content).points;
  }
};

TEST_F(ScatterTest, APointIsACellAtItsMeansOverFinishedTrials) {
  begin(
      "grid: {depth: [2, 3]}, seeds: 2, report: {columns: {depth: L, error: Error}, figures: "
      "[{kind: scatter, x: weights, y: error}]}");
  for (int trial = 1; trial <= 3; ++trial) start(trial, {{"weights", trial < 3 ? 10 : 40}});
  finish(1, {{"error", 0.5}});
  finish(2, {{"error", 0.7}});
  finish(3, {{"error", 0.25}});
  const auto drawn = draw();
  EXPECT_EQ(drawn[0].title, "Error against weights");
  ASSERT_EQ(points(drawn[0]).size(), 2u);
  EXPECT_EQ(shown(points(drawn[0])), "10:0.6±1.271/2 40:0.25/1");
  EXPECT_EQ(points(drawn[0])[0].label, "L 2");
}

TEST_F(ScatterTest, WithTheSeedInItsLabelAPointIsATrial) {
  begin(
      "grid: {depth: [2]}, seeds: 2, report: {figures: [{kind: scatter, x: depth, y: error, label: "
      "[depth, seed]}]}");
  for (int trial = 1; trial <= 2; ++trial) {
    start(trial);
    finish(trial, {{"error", 0.5 * trial}});
  }
  const auto drawn = points(draw()[0]);
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_EQ(shown(drawn), "2:0.5/1 2:1/1");
  EXPECT_EQ(drawn[1].label, "depth 2, seed 1");
}

TEST_F(ScatterTest, WhatHasNoPlaceIsLeftOutAndSaid) {
  begin(
      "grid: {depth: [0, 2, 3]}, report: {figures: [{kind: scatter, x: depth, y: error, log_x: "
      "true}]}");
  for (int trial = 1; trial <= 2; ++trial) {
    start(trial);
    finish(trial, {{"error", 0.5}});
  }
  const auto drawn = draw();
  EXPECT_EQ(shown(points(drawn[0])), "2:0.5/1");
  EXPECT_THAT(drawn[0].notes, ElementsAre(HasSubstr("1 of 3 points have no finished result"),
                                          HasSubstr("not on the logarithmic axis")));
}

TEST_F(ScatterTest, WithoutResultsThereIsNothingToDraw) {
  begin("grid: {depth: [2]}, report: {figures: [{kind: scatter, x: depth, y: error}]}");
  start(1);
  EXPECT_EQ(draw()[0].missing, "no finished trial has both depth and error yet");
}

TEST_F(ScatterTest, DefaultsShowTheSortColumnAgainstParametersAndTime) {
  begin("grid: {depth: [2, 3]}, report: {columns: [depth, error, loss], sort_by: loss}");
  for (int trial = 1; trial <= 2; ++trial) {
    start(trial, {{"parameters", 10 * trial}});
    storage::EpochDone done;
    done.epoch.trial = {trial};
    done.epoch.epoch = 1;
    done.epoch.wall_seconds = trial;
    done.epoch.metrics = {{"loss", 1}, {"error", 2}};
    store.record(done);
    finish(trial);
  }
  std::vector<std::string> titles;
  for (const Drawing& drawing : draw()) titles.push_back(drawing.title);
  EXPECT_THAT(titles, ElementsAre("error by epoch", "loss by epoch", "loss against parameters",
                                  "loss against wall_seconds"));
}

}  // namespace
}  // namespace windrow::report
