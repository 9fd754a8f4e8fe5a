#include <gtest/gtest.h>

#include "tests/orchestrator/analysis/samples.h"

namespace windrow::analysis {
namespace {

TEST(Results, FailedSeedsAreLeftOutAndNamed) {
  const auto metric =
      metric_of(cell_of({{"x", 1}}, {finished(1.0), failed("nan"), finished(3.0)}), "loss");
  EXPECT_EQ(metric.values, (BySeed{{0, 1.0}, {2, 3.0}}));
  EXPECT_EQ(metric.gap, Gap::none);
  EXPECT_EQ(metric.note, "1 of 3 failed: nan");
}

TEST(Results, WhyThereIsNoValue) {
  const auto gap_of = [](std::vector<TrialResult> trials) {
    return metric_of(cell_of({{"x", 1}}, std::move(trials)), "loss").gap;
  };
  EXPECT_EQ(gap_of({failed("nan"), failed("nan")}), Gap::nan);
  EXPECT_EQ(gap_of({failed("crash")}), Gap::failed);
  EXPECT_EQ(gap_of({finished(std::nan(""))}), Gap::no_number);
  EXPECT_EQ(gap_of({finished(1.0), open_trial()}), Gap::open);
  EXPECT_EQ(gap_of({failed("nan"), open_trial()}), Gap::open);
}

TEST(Results, NotesNameEachThingThatIsMissing) {
  const CellResult sample =
      cell_of({{"x", 1}}, {failed("nan"), failed("crash"), finished(std::nan("")), open_trial()});
  EXPECT_EQ(metric_of(sample, "loss").note,
            "2 of 4 failed: crash, nan; 1 of 4 without a number for loss; 1 of 4 not over");
}

TEST(Results, MatchingComparesNumbersByValue) {
  const CellResult sample = cell({{"dropout", 0.0}, {"optimizer", "adam"}}, {1.0});
  EXPECT_TRUE(matches(sample, {{"dropout", 0}}));
  EXPECT_TRUE(matches(sample, {{"dropout", 0}, {"optimizer", "adam"}}));
  EXPECT_FALSE(matches(sample, {{"dropout", 0}, {"optimizer", "sgd"}}));
  EXPECT_FALSE(matches(sample, {{"width", 3}}));
}

TEST(Results, NamesLeaveOutOneParameter) {
  const CellResult sample = cell({{"dropout", 0.25}, {"optimizer", "adam"}}, {1.0});
  EXPECT_EQ(name_of(sample, {"optimizer", "dropout"}), "optimizer=adam dropout=0.25");
  EXPECT_EQ(name_of(sample, {"optimizer", "dropout"}, "dropout"), "optimizer=adam");
}

TEST(Results, CellsAreNamedByTheFirstParametersThatTellThemApart) {
  const std::vector<CellResult> cells = {cell({{"model", "a"}, {"lr", 1}, {"batch", 1}}, {1.0}),
                                         cell({{"model", "a"}, {"lr", 2}, {"batch", 2}}, {1.0}),
                                         cell({{"model", "b"}, {"lr", 2}, {"batch", 2}}, {1.0})};
  EXPECT_EQ(telling_parameters(cells, {"model", "lr", "batch"}),
            (std::vector<std::string>{"model", "lr"}));
  EXPECT_EQ(telling_parameters({cells[0], cells[2]}, {"model", "lr"}),
            std::vector<std::string>{"model"});
  EXPECT_EQ(telling_parameters(cells, {"model"}), std::vector<std::string>{"model"});
}

}  // namespace
}  // namespace windrow::analysis
