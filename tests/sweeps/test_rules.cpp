// zip, when and exclude: what is left of a product, and what each rule did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/study.h"
#include "tests/sweeps/parse.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// "a=1 b=2" for each cell, of the parameters that it has of those named.
std::vector<std::string> cells(const Study& study, const std::vector<std::string>& keys) {
  std::vector<std::string> lines;
  for (const Cell& cell : expand(study).cells) {
    std::string& line = lines.emplace_back();
    for (const std::string& key : keys)
      if (cell.parameters.contains(key))
        line += (line.empty() ? "" : " ") + key + "=" + cell.parameters[key].dump();
  }
  return lines;
}

// "rule: excluded applied merged"
std::vector<std::string> effects(const Study& study) {
  std::vector<std::string> lines;
  for (const RuleEffect& effect : expand(study).rules)
    lines.push_back(effect.rule + ": " + std::to_string(effect.excluded) + " " +
                    std::to_string(effect.applied) + " " + std::to_string(effect.merged));
  return lines;
}

TEST(Zip, RunsItsListsTogetherBeforeTheGrid) {
  EXPECT_THAT(cells(parse_own("grid: {g: [1, 2]}\nzip: {a: [3, 4], b: [5, 5]}\n"), {"a", "b", "g"}),
              ElementsAre("a=3 b=5 g=1", "a=3 b=5 g=2", "a=4 b=5 g=1", "a=4 b=5 g=2"));
}

TEST(Zip, SeveralAreAnAxisEach) {
  EXPECT_THAT(
      cells(parse_own("zip: [{a: [1, 2], b: [1, 2]}, {c: [3, 4], d: [3, 4]}]\n"),
            {"a", "b", "c", "d"}),
      ElementsAre("a=1 b=1 c=3 d=3", "a=1 b=1 c=4 d=4", "a=2 b=2 c=3 d=3", "a=2 b=2 c=4 d=4"));
}

TEST(Zip, ItsParametersVary) {
  EXPECT_THAT(expand(parse_own("grid: {g: [1, 2]}\nzip: {a: [3, 4], b: [5, 5]}\n")).varying,
              ElementsAre("a", "g"));
}

TEST(When, AParameterIsOnlyWhereItBelongs) {
  const Study study =
      parse_own("grid: {opt: [sgd, adam], momentum: [0, 0.9]}\nwhen: {momentum: {opt: sgd}}\n");
  EXPECT_THAT(cells(study, {"opt", "momentum"}),
              ElementsAre("opt=\"sgd\" momentum=0", "opt=\"sgd\" momentum=0.9", "opt=\"adam\""));
  EXPECT_THAT(effects(study), ElementsAre("when momentum: {opt: sgd}: 0 2 1"));
}

TEST(When, AllConditionsHoldAndAListIsAnyOfItsValues) {
  EXPECT_THAT(cells(parse_own("grid: {a: [1, 2, 3], b: [x, y]}\nparameters: {c: 7}\n"
                              "when: {c: {a: [1, 3.0], b: x}}\n"),
                    {"a", "b", "c"}),
              ElementsAre("a=1 b=\"x\" c=7", "a=1 b=\"y\"", "a=2 b=\"x\"", "a=2 b=\"y\"",
                          "a=3 b=\"x\" c=7", "a=3 b=\"y\""));
}

TEST(When, WhatHangsOnAParameterThatIsTakenOutGoesToo) {
  EXPECT_THAT(cells(parse_own("grid: {a: [1, 2], b: [1], c: [1]}\nwhen: {c: {b: 1}, b: {a: 1}}\n"),
                    {"a", "b", "c"}),
              ElementsAre("a=1 b=1 c=1", "a=2"));
}

TEST(When, AShippedTaskHasItsDefaultElsewhere) {
  const Study study = parse_study(
      "study: s\ntask: cifar10\nparameters: {model: cnn5x5, epochs: 1}\n"
      "grid: {optimizer: [sgd, nesterov], momentum: [0.5, 0.95]}\n"
      "when: {momentum: {optimizer: nesterov}}\n",
      "s.yaml");
  EXPECT_THAT(cells(study, {"optimizer", "momentum"}),
              ElementsAre("optimizer=\"sgd\" momentum=0.9", "optimizer=\"nesterov\" momentum=0.5",
                          "optimizer=\"nesterov\" momentum=0.95"));
}

TEST(Exclude, LeavesOutWhatFits) {
  const Study study = parse_own(
      "grid: {a: [1, 2, 3], b: [x, y]}\nexclude: [{a: 1, b: y}, {a: [2, 3], b: x}, {a: 9}]\n");
  EXPECT_THAT(cells(study, {"a", "b"}), ElementsAre("a=1 b=\"x\"", "a=2 b=\"y\"", "a=3 b=\"y\""));
  EXPECT_THAT(effects(study),
              ElementsAre("exclude {a: 1, b: y}: 1 0 0", "exclude {a: [2, 3], b: x}: 2 0 0",
                          "exclude {a: 9}: 0 0 0"));
}

TEST(Exclude, CountsATasksDefaultAndComesAfterWhen) {
  EXPECT_THAT(cells(parse_study("study: s\ntask: cifar10\nparameters: {model: cnn5x5, epochs: 1}\n"
                                "grid: {optimizer: [sgd, nesterov]}\n"
                                "exclude: [{optimizer: sgd, dropout: 0}]\n",
                                "s.yaml"),
                    {"optimizer"}),
              ElementsAre("optimizer=\"nesterov\""));
  EXPECT_THAT(cells(parse_own("grid: {a: [1, 2], b: [1]}\nwhen: {b: {a: 1}}\nexclude: [{b: 1}]\n"),
                    {"a", "b"}),
              ElementsAre("a=2"));
}

TEST(Exclude, AStageOfWhichNothingIsLeftIsRefused) {
  const Study study = parse_own("grid: {a: [1, 2]}\nexclude: [{a: [1, 2]}]\n");
  EXPECT_THAT([&] { expand(study); },
              ThrowsMessage<StudyError>(HasSubstr("stage main: nothing is left of it: `exclude` "
                                                  "takes every combination")));
}

TEST(Rules, OfOneStageSayNothingOfAnother) {
  const Study study = parse_own(
      "stages:\n  one: {grid: {a: [1, 2]}, exclude: [{a: 1}]}\n  two: {grid: {a: [1, 3]}}\n");
  EXPECT_THAT(cells(study, {"a"}), ElementsAre("a=2", "a=1", "a=3"));
  EXPECT_EQ(expand(study).rules.at(0).stage, "one");
}

TEST(Rules, AreKeptByTheEffectiveText) {
  const Study study = parse_own(
      "parameters: {c: 1}\ngrid: {a: [1, 2], b: [x, 'y: z']}\nzip: [{d: [1, 2], e: [1, 2]}]\n"
      "when: {c: {a: [1, 2], b: x}}\nexclude: [{a: 1, b: 'y: z'}]\n");
  const Study again = parse_study(study.text, "again.yaml");
  EXPECT_EQ(again.hash, study.hash);
  EXPECT_EQ(again.text, study.text);
  EXPECT_EQ(again.stages[0].when, study.stages[0].when);
  EXPECT_EQ(again.stages[0].exclude, study.stages[0].exclude);
  EXPECT_EQ(again.stages[0].zips, study.stages[0].zips);
  EXPECT_NE(parse_own("grid: {a: [1, 2]}\nexclude: [{a: 1}]\n").hash,
            parse_own("grid: {a: [1, 2]}\nexclude: [{a: 2}]\n").hash);
}

TEST(Rules, WithoutThemNothingIsSaidOfAny) {
  EXPECT_THAT(effects(parse_own("grid: {a: [1, 2]}\n")), IsEmpty());
}

}  // namespace
}  // namespace windrow::sweeps
