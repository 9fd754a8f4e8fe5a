// Shares of variance of a complete grid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/analysis/importance.h"

namespace windrow::analysis {
namespace {

using testing::HasSubstr;

CellResult cell(const sweeps::Json& parameters, const std::vector<double>& losses) {
  CellResult made;
  made.parameters = parameters;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    TrialResult trial;
    trial.seed = static_cast<std::int64_t>(i);
    trial.state = TrialResult::State::finished;
    trial.metrics = {{"loss", losses[i]}};
    made.trials.push_back(trial);
  }
  return made;
}

const Effect& effect(const Importance& all, const std::vector<std::string>& parameters) {
  for (const Effect& one : all.effects)
    if (one.parameters == parameters) return one;
  throw std::out_of_range("no such effect");
}

// Two factors of two and three levels with two seeds, by the textbook's sums of squares: a 44.0833,
// b 10.6667, both 8.6667, seeds 5.5 with 6 degrees of freedom.
TEST(Importance, IsThatOfTheAnalysisOfVariance) {
  const std::vector<CellResult> cells = {
      cell({{"a", 1}, {"b", "x"}}, {1, 2}), cell({{"a", 1}, {"b", "y"}}, {2, 4}),
      cell({{"a", 1}, {"b", "z"}}, {3, 3}), cell({{"a", 2}, {"b", "x"}}, {5, 7}),
      cell({{"a", 2}, {"b", "y"}}, {5, 4}), cell({{"a", 2}, {"b", "z"}}, {9, 8})};
  const Importance all = importance_of(cells, {"a", "b"}, "loss");
  ASSERT_EQ(all.why_not, "");
  EXPECT_EQ(all.seeds, 2);
  const double total = 68.0 + 11.0 / 12;
  EXPECT_NEAR(effect(all, {"a"}).share, (44 + 1.0 / 12) / total, 1e-12);
  EXPECT_NEAR(effect(all, {"b"}).share, (10 + 2.0 / 3) / total, 1e-12);
  EXPECT_NEAR(effect(all, {"a", "b"}).share, (8 + 2.0 / 3) / total, 1e-12);
  EXPECT_NEAR(all.error, 5.5 / total, 1e-12);
  EXPECT_NEAR(all.higher, 0, 1e-12);
  EXPECT_NEAR(*effect(all, {"a"}).f, 48.090909090909086, 1e-9);
  EXPECT_NEAR(*effect(all, {"a"}).p, 0.00044553316, 1e-9);
  EXPECT_NEAR(*effect(all, {"b"}).p, 0.03937554852614244, 1e-12);
  EXPECT_NEAR(*effect(all, {"a", "b"}).p, 0.05851740280887439, 1e-12);
  EXPECT_EQ(effect(all, {"a", "b"}).degrees, 2);
  EXPECT_EQ(all.effects[0].parameters, std::vector<std::string>{"a"}) << "the largest first";
}

TEST(Importance, OfAnAdditiveFunctionPairsMakeNothing) {
  std::vector<CellResult> cells;
  for (const int a : {0, 1, 2})
    for (const int b : {0, 1}) cells.push_back(cell({{"a", a}, {"b", b}}, {a + 10.0 * b}));
  const Importance all = importance_of(cells, {"a", "b"}, "loss");
  EXPECT_NEAR(effect(all, {"a", "b"}).share, 0, 1e-12);
  EXPECT_NEAR(effect(all, {"b"}).share, 25.0 / (25.0 + 2.0 / 3), 1e-12);
  EXPECT_EQ(all.error, 0);
  EXPECT_FALSE(effect(all, {"b"}).p) << "one seed tells nothing of chance";
}

TEST(Importance, OfAPureInteractionItIsThePair) {
  std::vector<CellResult> cells;
  for (const int a : {0, 1})
    for (const int b : {0, 1}) cells.push_back(cell({{"a", a}, {"b", b}}, {a == b ? 1.0 : 0.0}));
  const Importance all = importance_of(cells, {"a", "b"}, "loss");
  EXPECT_NEAR(effect(all, {"a", "b"}).share, 1, 1e-12);
}

TEST(Importance, WhatIsNoCompleteGridHasNone) {
  const std::vector<CellResult> cells = {cell({{"a", 1}, {"b", 1}}, {1}),
                                         cell({{"a", 1}, {"b", 2}}, {2}),
                                         cell({{"a", 2}, {"b", 1}}, {3})};
  EXPECT_THAT(importance_of(cells, {"a", "b"}, "loss").why_not,
              HasSubstr("no complete grid: 3 of 4 combinations"));
  const Importance lone = importance_of({cells[0]}, {"a"}, "loss");
  EXPECT_EQ(lone.why_not, "no parameter varies");
  EXPECT_EQ(lone.seeds, 0);
  EXPECT_TRUE(lone.effects.empty());
}

TEST(Importance, WhereAllNumbersAreTheSameThereIsNone) {
  const Importance all =
      importance_of({cell({{"a", 1}}, {2, 2}), cell({{"a", 2}}, {2, 2})}, {"a"}, "loss");
  EXPECT_EQ(all.why_not, "all cells and seeds have the same number");
  EXPECT_TRUE(all.effects.empty());
}

TEST(Importance, OnlySeedsThatAllCellsHaveCount) {
  std::vector<CellResult> cells = {cell({{"a", 1}}, {1, 2, 3}), cell({{"a", 2}}, {4, 5, 9})};
  cells[1].trials[2].state = TrialResult::State::failed;
  cells[1].trials[2].metrics.clear();
  EXPECT_EQ(importance_of(cells, {"a"}, "loss").seeds, 2);
  cells[1].trials.clear();
  EXPECT_THAT(importance_of(cells, {"a"}, "loss").why_not, HasSubstr("no seed"));
}

}  // namespace
}  // namespace windrow::analysis
