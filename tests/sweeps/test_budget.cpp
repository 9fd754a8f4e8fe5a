// How long trials train, and whose checkpoints stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/study.h"
#include "tests/sweeps/parse.h"
#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

TEST(Budget, IsEpochsOfShippedTasksAndOtherwiseWhatTheStudyNames) {
  EXPECT_EQ(
      budget_parameter(parse("{study: s, task: choice-sets, parameters: {depth: 3, width: 10}}")),
      "epochs");
  EXPECT_EQ(budget_parameter(parse_own("parameters: {epochs: 3}\n")), "");
  EXPECT_EQ(budget_parameter(parse("{study: s, trainer: {command: [x], budget: n}, grid: {n: [1, "
                                   "2]}}")),
            "n");
}

TEST(Budget, TheHashOfParametersIsThatOfTheirCell) {
  for (const char* text : {"{study: s, task: choice-sets, parameters: {depth: 3, width: 10}}",
                           "{study: s, trainer: {command: [x]}, parameters: {a: 1}}"}) {
    const Study study = parse(text);
    const Cell cell = expand(study).cells.at(0);
    EXPECT_EQ(cell_hash(study, cell.parameters), cell.hash);
  }
}

TEST(Keep, IsTheLastOneWhereTrialsCanGoOn) {
  const KeptCheckpoints all{Keep::last, 0}, nothing{Keep::none, 0};
  EXPECT_EQ(
      kept_checkpoints(parse("{study: s, task: choice-sets, parameters: {depth: 3, width: 10}}")),
      all);
  EXPECT_EQ(kept_checkpoints(parse_own("")), nothing);
  EXPECT_EQ(kept_checkpoints(parse_own("keep: last\n")), all);
  EXPECT_EQ(kept_checkpoints(parse_own("keep_count: 3\n")), (KeptCheckpoints{Keep::last, 3}));
  const std::string compare = "report: {compare: {metric: loss}}\n";
  EXPECT_EQ(kept_checkpoints(parse_own("keep: best\n" + compare)),
            (KeptCheckpoints{Keep::best, 1}));
}

TEST(Keep, AndTheBudgetAreInTheEffectiveText) {
  const Study study = parse(
      "{study: s, trainer: {command: [x], budget: n}, parameters: {n: 4}, keep: best, keep_count: "
      "2, report: {compare: {metric: loss}}}");
  const Study again = parse(study.text);
  EXPECT_EQ(again.hash, study.hash);
  EXPECT_EQ(again.budget, "n");
  EXPECT_EQ(again.kept, study.kept);
  EXPECT_NE(parse_own("keep: last\n").hash, parse_own("").hash);
}

class RefusedBudget : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedBudget, WithPlaceValueAndRemedy) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, RefusedBudget,
    testing::Values(
        Refusal{"Misspelt",
                "study: s\ntrainer: {command: [x], budget: epoch}\nparameters: {epochs: 3}\n",
                "s.yaml:2:33: budget: no parameter is called \"epoch\"; did you mean \"epochs\"?"},
        Refusal{"NoParameters", "study: s\ntrainer: {command: [x], budget: n}\n",
                "s.yaml:2:33: budget: no parameter is called \"n\"; give parameters: {n: 10}"},
        Refusal{"NoNumber", "study: s\ntrainer: {command: [x], budget: n}\ngrid: {n: [1, long]}\n",
                "s.yaml:2:33: budget: n has the value \"long\", and a budget is a number of "
                "epochs: an integer of at least 1"},
        Refusal{"KeepUnknown", "study: s\ntrainer: {command: [x]}\nkeep: all\n",
                "s.yaml:3:7: keep: \"all\" is not allowed; use one of none, last, best"},
        Refusal{"BestOfWhat", "study: s\ntrainer: {command: [x]}\nkeep: best\n",
                "s.yaml:3:7: keep: what is best isn't said; give the metric, for example report: "
                "{compare: {metric: val_loss, goal: min}}"},
        Refusal{"CountOfNone", "study: s\ntrainer: {command: [x]}\nkeep: none\nkeep_count: 2\n",
                "s.yaml:4:13: keep_count: nothing is kept with keep: none; give keep: last or "
                "keep: best"}),
    refusal_name);

}  // namespace
}  // namespace windrow::sweeps
