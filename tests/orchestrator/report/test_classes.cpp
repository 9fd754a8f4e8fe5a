// Confusion matrices and accuracies of classes.
#include <gmock/gmock.h>

#include "recorded_study.h"

namespace windrow::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kBoth =
    "report: {figures: [{name: m, kind: confusion}, {name: a, kind: class-accuracy}]}";

protocol::Json matrix(const protocol::Json& counts) {
  return {{"confusion", {{"classes", {"cat", "dog"}}, {"counts", counts}}}};
}

class Classes : public RecordedStudy {
 protected:
  void run(int trial, const protocol::Json& artefacts) {
    start(trial);
    finish(trial, {}, artefacts);
  }
};

TEST_F(Classes, AMatrixIsTheSumOverSeeds) {
  begin("grid: {x: [1]}, seeds: 2, " + kBoth);
  run(1, matrix({{8, 2}, {1, 4}}));
  run(2, matrix({{6, 4}, {0, 5}}));
  const auto drawn = draw();
  ASSERT_EQ(drawn.size(), 2u);
  const auto& map = std::get<HeatMap>(drawn[0].content);
  EXPECT_THAT(map.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(map.counts, ElementsAre(ElementsAre(14, 6), ElementsAre(1, 9)));
  EXPECT_THAT(drawn[0].notes, ElementsAre("Summed up over 2 trials."));
}

TEST_F(Classes, BarsAreMeansWithIntervals) {
  begin("grid: {x: [1]}, seeds: 2, " + kBoth);
  run(1, matrix({{8, 2}, {1, 4}}));
  run(2, matrix({{6, 4}, {0, 0}}));
  const BarChart chart = std::get<BarChart>(draw()[1].content);
  EXPECT_THAT(chart.categories, ElementsAre("cat", "dog"));
  ASSERT_EQ(chart.series.size(), 1u);
  EXPECT_DOUBLE_EQ(*chart.series[0].values[0], 0.7);
  EXPECT_NEAR(*chart.series[0].ci95[0], 12.706205 * 0.1, 1e-5);
  EXPECT_DOUBLE_EQ(*chart.series[0].values[1], 0.8) << "of the one seed that has images of it";
  EXPECT_FALSE(chart.series[0].ci95[1]);
}

TEST_F(Classes, EachCellHasItsMatrixUnderANameOfItsOwn) {
  begin("grid: {model: [a/b, a b, c]}, " + kBoth);
  run(1, matrix({{1, 0}, {0, 1}}));
  run(2, matrix({{2, 0}, {0, 2}}));
  const auto drawn = draw();
  ASSERT_EQ(drawn.size(), 3u) << "the third cell has none";
  EXPECT_EQ(drawn[0].name, "m-a-b");
  EXPECT_EQ(drawn[1].name, "m-a-b-2");
  EXPECT_EQ(drawn[0].title, "Confusion matrix: a/b");
  EXPECT_EQ(std::get<HeatMap>(drawn[1].content).counts[0][0], 2);
  EXPECT_EQ(std::get<BarChart>(drawn[2].content).series.size(), 2u);
}

TEST_F(Classes, ByOneParameterTheOthersAreSummedUpOrAveraged) {
  begin(
      "grid: {model: [a, b], x: [1, 2]}, report: {figures: [{kind: confusion, by: model}, {kind: "
      "class-accuracy, by: model}]}");
  for (int trial = 1; trial <= 4; ++trial) run(trial, matrix({{trial, 0}, {trial, 0}}));
  const auto drawn = draw();
  ASSERT_EQ(drawn.size(), 3u);
  EXPECT_EQ(drawn[0].title, "Confusion matrix: a");
  EXPECT_EQ(std::get<HeatMap>(drawn[0].content).counts[0][0], 3);
  EXPECT_EQ(std::get<HeatMap>(drawn[1].content).counts[0][0], 7);
  EXPECT_EQ(std::get<BarChart>(drawn[2].content).series[1].label, "b");
}

TEST_F(Classes, AreDrawnByDefaultWhereTrialsHaveThem) {
  begin("grid: {x: [1, 2]}");
  run(1, {});
  EXPECT_EQ(draw().size(), 0u);
  run(2, matrix({{1, 0}, {0, 1}}));
  EXPECT_EQ(draw().size(), 2u);
}

TEST_F(Classes, WithoutMatricesThereIsNothingToDraw) {
  begin("grid: {x: [1]}, " + kBoth);
  run(1, {{"confusion", "none"}});
  for (const Drawing& drawing : draw())
    EXPECT_THAT(drawing.missing, HasSubstr("no finished trial"));
}

}  // namespace
}  // namespace windrow::report
