// The cells of a study and their order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/study.h"
#include "tests/sweeps/parse.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "a=1 b=2" for each cell, of the parameters named.
std::vector<std::string> shown(const Expansion& expansion, const std::vector<std::string>& keys) {
  std::vector<std::string> lines;
  for (const Cell& cell : expansion.cells) {
    std::string& line = lines.emplace_back();
    for (const std::string& key : keys)
      if (cell.parameters.contains(key))
        line += (line.empty() ? "" : " ") + key + "=" + cell.parameters[key].dump();
  }
  return lines;
}

TEST(Expand, GridsLastAxisIsTheFastest) {
  EXPECT_THAT(shown(expand(parse_own("grid: {b: [1, 2], a: [30, 10, 20]}\n")), {"b", "a"}),
              ElementsAre("b=1 a=30", "b=1 a=10", "b=1 a=20", "b=2 a=30", "b=2 a=10", "b=2 a=20"));
}

TEST(Expand, CasesComeInTheirOrderEachWithTheWholeGrid) {
  EXPECT_THAT(shown(expand(parse_own("grid: {g: [1, 2]}\ncases: [{a: 9}, {a: 3}]\n")), {"a", "g"}),
              ElementsAre("a=9 g=1", "a=9 g=2", "a=3 g=1", "a=3 g=2"));
}

TEST(Expand, ACaseLeavesNothingToTheNext) {
  EXPECT_THAT(
      shown(expand(parse_own("parameters: {f: 0}\ncases: [{a: 1, b: 2}, {a: 2}, {c: 3}]\n")),
            {"f", "a", "b", "c"}),
      ElementsAre("f=0 a=1 b=2", "f=0 a=2", "f=0 c=3"));
}

TEST(Expand, StagesParametersGoOverTheStudys) {
  const Study study = parse_own(
      "parameters: {n: 1, m: 5}\nstages: {one: {parameters: {n: 2}}, two: {grid: {k: [1]}}}\n");
  EXPECT_THAT(shown(expand(study), {"n", "m", "k"}), ElementsAre("n=2 m=5", "n=1 m=5 k=1"));
}

TEST(Expand, FillsInTheTasksDefaults) {
  const Study study = parse_study(
      "{study: s, task: choice-sets, parameters: {depth: 2}, grid: {width: [5]}}", "s.yaml");
  const Json parameters = expand(study).cells.at(0).parameters;
  EXPECT_EQ(parameters["batch"], 300);
  EXPECT_EQ(parameters["pool"], "mean");
  EXPECT_EQ(parameters["width"], 5);
}

TEST(Expand, ACellThatTwoStagesShareAppearsOnceWithBoth) {
  const Expansion expansion = expand(parse_own(
      "stages: {one: {grid: {a: [1, 2]}}, two: {grid: {a: [3, 2]}}, three: {grid: {a: [2]}}}\n"));
  EXPECT_THAT(shown(expansion, {"a"}), ElementsAre("a=1", "a=2", "a=3"));
  EXPECT_THAT(expansion.cells[0].stages, ElementsAre("one"));
  EXPECT_THAT(expansion.cells[1].stages, ElementsAre("one", "two", "three"));
  EXPECT_THAT(expansion.cells[2].stages, ElementsAre("two"));
  // In its stage's order, cell 2 comes before the one that stage `one` had before.
  EXPECT_THAT(expansion.cells[1].places, ElementsAre(1, 1, 0));
  EXPECT_THAT(expansion.cells[2].places, ElementsAre(0));
}

TEST(Expand, ACellIsSharedWhereOneStageWritesADefaultOut) {
  const Expansion expansion = expand(parse_study(
      "{study: s, task: choice-sets, parameters: {depth: 2}, stages: {one: {grid: {width: [5]}}, "
      "two: {grid: {width: [5], lr: [1e-4, 1e-3]}}}}",
      "s.yaml"));
  ASSERT_EQ(expansion.cells.size(), 2u);
  EXPECT_THAT(expansion.cells[0].stages, ElementsAre("one", "two"));
}

TEST(Expand, VaryingParametersComeInTheFilesOrder) {
  const Expansion expansion =
      expand(parse_own("parameters: {f: 0}\n"
                       "stages:\n"
                       "  one: {grid: {z: [1, 2], y: [5]}, cases: [{q: 1}, {q: 2}]}\n"
                       "  two: {parameters: {f: 1}, grid: {y: [5], a: [1, 2]}}\n"));
  EXPECT_THAT(expansion.varying, ElementsAre("q", "z", "a", "f"))
      << "what stage two lacks varies; y, which is 5 everywhere, doesn't";
}

TEST(Expand, AParameterWithOneValueDoesNotVary) {
  const Expansion expansion = expand(parse_own("parameters: {f: 0}\ngrid: {a: [1], b: [1, 2]}\n"));
  EXPECT_THAT(expansion.varying, ElementsAre("b"));
}

TEST(Expand, EveryStageHasAState) {
  const Expansion expansion =
      expand(parse_own("stages: {one: {grid: {a: [1, 2]}}, two: {best: {of: one, by: loss}}}\n"));
  EXPECT_EQ(expansion.stages.at("one").kind, StageState::Kind::expanded);
  EXPECT_EQ(expansion.stages.at("two").kind, StageState::Kind::waiting);
  EXPECT_EQ(expansion.stages.at("two").reason, "waits for stage one");
}

TEST(Expand, NamesTheCellOfARefusedCombination) {
  Study study = parse_study(
      "{study: s, task: choice-sets, parameters: {depth: 2}, grid: {width: [5]}}", "s.yaml");
  study.parameters.erase("depth");  // as a study from another version might lack it
  try {
    expand(study);
    FAIL();
  } catch (const StudyError& error) {
    EXPECT_STREQ(
        error.what(),
        "study s, stage main, cell {\"width\":5}: depth: is missing; give an integer of at "
        "least 1 and at most 1000");
  }
}

TEST(Expand, RefusesATaskThatThisVersionHasNot) {
  Study study = parse_own("grid: {a: [1]}\n");
  study.task = "cifar1000";
  try {
    expand(study);
    FAIL();
  } catch (const StudyError& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no task cifar1000"));
  }
}

}  // namespace
}  // namespace windrow::sweeps
