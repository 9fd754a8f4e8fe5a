// --set key=value.
#include <gmock/gmock.h>

#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;

const std::string kStaged = R"(study: s
task: cifar10
parameters: {model: cnn5x5, epochs: 9, dropout: 0.5}
seeds: 2
stages:
  one: {parameters: {lr: 0.1}, grid: {optimizer: [sgd]}}
  two: {parameters: {lr: 0.2}, grid: {batch: [1, 2]}, best: {of: one, by: val_loss}}
)";

Study with(const std::vector<Override>& overrides) {
  return parse_study(kStaged, "s.yaml", overrides);
}

TEST(Overrides, ReplaceAFixedParameter) {
  EXPECT_EQ(with({{"epochs", "3"}}).parameters["epochs"], 3);
}

TEST(Overrides, ReplaceATasksDefault) {
  EXPECT_EQ(with({{"momentum", "0.8"}}).parameters["momentum"], 0.8);
}

TEST(Overrides, WinOverTheParametersOfEveryStage) {
  const Expansion expansion = expand(with({{"lr", "0.7"}}));
  EXPECT_EQ(expansion.cells[0].parameters["lr"], 0.7);
  EXPECT_TRUE(with({{"lr", "0.7"}}).stages[1].parameters.empty());
}

TEST(Overrides, ReplaceTheSeeds) {
  EXPECT_THAT(with({{"seeds", "3"}}).seeds, ElementsAre(0, 1, 2));
  EXPECT_THAT(with({{"seeds", "[5]"}}).seeds, ElementsAre(5));
}

TEST(Overrides, TheLastOneWins) {
  EXPECT_EQ(with({{"epochs", "3"}, {"epochs", "4"}}).parameters["epochs"], 4);
}

TEST(Overrides, CanGiveARequiredParameter) {
  const std::string text = "{study: s, task: cifar10, parameters: {model: cnn5x5, optimizer: sgd}}";
  EXPECT_NE(error_of(text), "");
  EXPECT_EQ(error_of(text, {{"epochs", "3"}}), "");
}

TEST(Overrides, ArePartOfTheEffectiveText) {
  const Study study = with({{"lr", "0.7"}, {"seeds", "3"}});
  const Study again = parse_study(study.text, "again");
  EXPECT_EQ(again.hash, study.hash);
  EXPECT_EQ(again.parameters["lr"], 0.7);
  EXPECT_EQ(again.seeds.size(), 3u);
  EXPECT_NE(study.hash, with({}).hash);
}

TEST(Overrides, AreRefusedForWhatIsSwept) {
  EXPECT_EQ(error_of(kStaged, {{"batch", "7"}}),
            "--set batch=7: batch: the study sweeps it, in line 7 of the file; edit the values "
            "there");
  EXPECT_EQ(error_of("{study: s, trainer: {command: [x]}, cases: [{a: 1}]}", {{"a", "7"}}),
            "--set a=7: a: the study sweeps it, in line 1 of the file; edit the values there");
}

TEST(Overrides, AreRefusedForUnknownParameters) {
  EXPECT_EQ(error_of("{study: s, trainer: {command: [x]}, parameters: {rate: 1}}", {{"raet", "2"}}),
            "--set raet=2: raet: the study has no such parameter to set; did you mean \"rate\"? It "
            "is one of seeds, rate");
}

TEST(Overrides, AreCheckedLikeTheFile) {
  EXPECT_EQ(error_of(kStaged, {{"dropout", "1.5"}}),
            "--set dropout=1.5: dropout: 1.5 is out of range; give a number of at least 0 and less "
            "than 1");
  EXPECT_EQ(error_of(kStaged, {{"lr", "fast"}, {"seeds", "0"}}),
            "--set lr=fast: lr: \"fast\" is a string; give a number greater than 0\n"
            "--set seeds=0: seeds: 0 is out of range; give an integer from 1 to 1000000");
  EXPECT_EQ(error_of(kStaged, {{"lr", ""}}),
            "--set lr=: lr: has no value; give a number greater than 0");
  EXPECT_THAT(error_of(kStaged, {{"lr", "[1"}}),
              testing::StartsWith("--set lr=[1: lr: this is not well-formed YAML"));
}

}  // namespace
}  // namespace windrow::sweeps
