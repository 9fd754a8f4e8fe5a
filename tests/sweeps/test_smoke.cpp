// Which cells a smoke run tries, and what of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/smoke.h"
#include "tests/sweeps/parse.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;

// "a=1 b=2" for each of them.
std::vector<std::string> tried(const Study& study) {
  std::vector<std::string> lines;
  const Expansion expansion = expand(study);
  for (const Cell& cell : smoke_cells(study, expansion)) {
    std::string& line = lines.emplace_back();
    for (const std::string& key : expansion.varying)
      line += (line.empty() ? "" : " ") + key + "=" + cell.parameters.at(key).dump();
  }
  return lines;
}

TEST(Smoke, TriesEachValueAndNotEachCombination) {
  EXPECT_THAT(tried(parse_own("grid: {a: [x, y, z], b: [1, 2]}\n")),
              ElementsAre("a=\"x\" b=1", "a=\"x\" b=2", "a=\"y\" b=1", "a=\"z\" b=1"));
}

TEST(Smoke, OfManyNumbersTheSmallestAndTheLargest) {
  EXPECT_THAT(tried(parse_own("grid: {a: [0.1, 0.2, 0.5, 0.4, 0.3]}\n")),
              ElementsAre("a=0.1", "a=0.5"));
}

TEST(Smoke, TheCostliestComesFirst) {
  EXPECT_THAT(tried(parse("{study: s, task: choice-sets, parameters: {depth: 3}, grid: {width: [5, "
                          "50, 10]}}")),
              ElementsAre("width=50", "width=10", "width=5"));
}

TEST(Smoke, IsOneEpochOfOneSeedAndNobodyIsTold) {
  const Study study = parse(
      "{study: s, task: cifar10, parameters: {model: cnn5x5, epochs: 20}, seeds: 3, grid: "
      "{optimizer: [sgd, adam]}, on_end: [tell], early_stopping: {metric: val_loss}}");
  const Study smoke = smoke_study(study, smoke_cells(study, expand(study)));
  EXPECT_THAT(smoke.seeds, ElementsAre(0));
  EXPECT_FALSE(smoke.on_end);
  const Expansion expansion = expand(smoke);
  ASSERT_EQ(expansion.cells.size(), 2u);
  EXPECT_EQ(expansion.cells[0].parameters.at("epochs"), 1);
  EXPECT_EQ(expansion.cells[0].parameters.at("steps_per_epoch"), 10);
  EXPECT_EQ(expansion.cells[1].parameters.at("optimizer"), "adam");
}

TEST(Smoke, CellsThatDifferInTheirEpochsAloneAreTriedOnce) {
  const Study study = parse(
      "{study: s, trainer: {command: [x], budget: n}, grid: {n: [5, 10]}, parameters: {a: 1}}");
  EXPECT_EQ(expand(smoke_study(study, smoke_cells(study, expand(study)))).cells.size(), 1u);
}

TEST(Smoke, AStudyWithoutParametersIsOneCell) {
  const Study study = parse_own("");
  EXPECT_EQ(expand(smoke_study(study, smoke_cells(study, expand(study)))).cells.size(), 1u);
}

TEST(Smoke, SecondsAreThoseOfTheCellThatIsMostAlike) {
  const Study study = parse_own("parameters: {a: 1}\n");
  const std::vector<Measured> measured = {{Json{{"model", "a"}, {"lr", 1}}, 2},
                                          {Json{{"model", "b"}, {"lr", 1}}, 7}};
  EXPECT_EQ(epoch_seconds_like(study, Json{{"model", "b"}, {"lr", 5}}, measured), 7);
  EXPECT_EQ(epoch_seconds_like(study, Json{{"model", "a"}, {"lr", 5}}, measured), 2);
  EXPECT_EQ(epoch_seconds_like(study, Json::object(), {}), 0);
}

}  // namespace
}  // namespace windrow::sweeps
