// What a study file is understood as.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/study.h"
#include "tests/sweeps/parse.h"

namespace windrow::sweeps {
namespace {

using protocol::Goal;
using testing::ElementsAre;

TEST(Parse, SmallestStudyIsOneCellWithSeedZero) {
  const Study study = parse("{study: s, trainer: {command: [x]}}");
  EXPECT_EQ(study.name, "s");
  EXPECT_EQ(study.task, "");
  EXPECT_THAT(study.seeds, ElementsAre(0));
  EXPECT_FALSE(study.early_stopping);
  ASSERT_EQ(study.stages.size(), 1u);
  EXPECT_EQ(study.stages[0].name, "main");
  EXPECT_EQ(expand(study).cells.size(), 1u);
}

TEST(Parse, TrainerAndItsDefaults) {
  const Study study = parse("{study: s, trainer: {command: [python3, t.py, -n, 5, yes]}}");
  EXPECT_THAT(study.trainer.command, ElementsAre("python3", "t.py", "-n", "5", "yes"));
  EXPECT_FALSE(study.trainer.persistent);
  EXPECT_EQ(study.trainer.ready_seconds, 300);
  EXPECT_EQ(study.trainer.hang_seconds, 0);
  const Study other = parse(
      "{study: s, trainer: {command: [x], persistent: false, ready_seconds: 1.5, hang_seconds: "
      "9}}");
  EXPECT_FALSE(other.trainer.persistent);
  EXPECT_EQ(other.trainer.ready_seconds, 1.5);
  EXPECT_EQ(other.trainer.hang_seconds, 9);
}

TEST(Parse, NamesMayLookLikeNumbers) {
  EXPECT_EQ(parse("{study: 2024, trainer: {command: [x]}}").name, "2024");
}

TEST(Parse, SeedsAreACountOrAList) {
  EXPECT_THAT(parse("{study: s, trainer: {command: [x]}, seeds: 3}").seeds, ElementsAre(0, 1, 2));
  EXPECT_THAT(parse("{study: s, trainer: {command: [x]}, seeds: [7, 3]}").seeds, ElementsAre(7, 3));
}

TEST(Parse, EarlyStoppingAndItsDefaults) {
  const Study study = parse("{study: s, trainer: {command: [x]}, early_stopping: {metric: m}}");
  EXPECT_EQ(study.early_stopping, (protocol::EarlyStopping{"m", Goal::minimize, 5, 0, true}));
  const Study other = parse(
      "{study: s, trainer: {command: [x]}, early_stopping: {metric: m, goal: max, patience: 2, "
      "min_delta: 1e-3, restore_best: false}}");
  EXPECT_EQ(other.early_stopping, (protocol::EarlyStopping{"m", Goal::maximize, 2, 1e-3, false}));
}

TEST(Parse, ValuesOfAProgramKeepTheirTypes) {
  const Study study = parse(
      "{study: s, trainer: {command: [x]}, parameters: {a: 1, b: 1.0, c: '1', d: true, e: yes}}");
  EXPECT_TRUE(study.parameters["a"].is_number_integer());
  EXPECT_TRUE(study.parameters["b"].is_number_float());
  EXPECT_EQ(study.parameters["c"], "1");
  EXPECT_EQ(study.parameters["d"], true);
  EXPECT_EQ(study.parameters["e"], "yes");
}

TEST(Parse, ValuesOfATaskAreInItsTypes) {
  const Study study =
      parse("{study: s, task: choice-sets, parameters: {lr: 1, depth: 2.0}, grid: {width: [1e1]}}");
  EXPECT_TRUE(study.parameters["lr"].is_number_float());
  EXPECT_TRUE(study.parameters["depth"].is_number_integer());
  EXPECT_TRUE(study.stages[0].grid[0].second[0].is_number_integer());
}

TEST(Parse, GridAndCasesKeepTheFilesOrder) {
  const Study study = parse(
      "{study: s, trainer: {command: [x]}, grid: {z: [3, 1], a: [2]}, "
      "cases: [{y: 1, b: 2}, {c: 5, y: 2}]}");
  const Stage& stage = study.stages[0];
  EXPECT_EQ(stage.grid, (std::vector<GridAxis>{{"z", {3, 1}}, {"a", {2}}}));
  EXPECT_THAT(stage.case_keys, ElementsAre("y", "b", "c"));
  EXPECT_THAT(stage.cases, ElementsAre(Json({{"y", 1}, {"b", 2}}), Json({{"c", 5}, {"y", 2}})));
}

TEST(Parse, StagesAndTheirSelections) {
  const Study study = parse(R"(
study: s
trainer: {command: [x]}
stages:
  first: {grid: {a: [1, 2], b: [3]}}
  second:
    parameters: {epochs: 9}
    best: {count: 2, of: first, by: loss, goal: max, take: [a]}
  third:
    best: {of: second, by: loss}
)");
  ASSERT_EQ(study.stages.size(), 3u);
  EXPECT_EQ(study.stages[1].name, "second");
  EXPECT_EQ(study.stages[1].parameters, Json({{"epochs", 9}}));
  EXPECT_EQ(study.stages[1].best, (Selection{2, "first", "loss", Goal::maximize, {"a"}}));
  EXPECT_EQ(study.stages[2].best, (Selection{1, "second", "loss", Goal::minimize, {}}));
}

TEST(Parse, ReportColumnsInThreeForms) {
  const auto columns = [](const std::string& text) {
    std::vector<std::string> lines;
    for (const ReportColumn& column :
         parse("{study: s, trainer: {command: [x]}, report: {columns: " + text + "}}")
             .report.columns)
      lines.push_back(column.key + " as " + column.label);
    return lines;
  };
  EXPECT_THAT(columns("[lr, {key: loss, label: Loss}, {key: n}]"),
              ElementsAre("lr as lr", "loss as Loss", "n as n"));
  EXPECT_THAT(columns("{lr: Rate, loss: Loss}"), ElementsAre("lr as Rate", "loss as Loss"));
}

TEST(Parse, AColumnCanBeTheMeanOfTheLastEpochs) {
  const Study study = parse(
      "{study: s, trainer: {command: [x]}, report: {columns: [loss, {key: loss, last_epochs: "
      "5}]}}");
  EXPECT_THAT(study.report.columns,
              ElementsAre(ReportColumn{"loss", "loss", 0}, ReportColumn{"loss", "loss", 5}));
}

TEST(Parse, ReportOfATaskMayUseEveryColumnOfTheView) {
  const Study study = parse(R"(
study: s
task: choice-sets
parameters: {depth: 2, width: 5}
report:
  columns: [trial, width, test_mse, best_epoch, parameters, wall_seconds, epochs, epochs_parameter]
  sort_by: test_mse
  descending: true
  caption: "Depth: two"
)");
  EXPECT_EQ(study.report.columns.size(), 8u);
  EXPECT_EQ(study.report.sort_by, "test_mse");
  EXPECT_TRUE(study.report.descending);
  EXPECT_EQ(study.report.caption, "Depth: two");
}

TEST(Parse, AStageMaySweepWhatTheStudyFixes) {
  const Study study = parse(
      "{study: s, trainer: {command: [x]}, parameters: {a: 0}, stages: {one: {grid: {a: [1, "
      "2]}}}}");
  const Expansion expansion = expand(study);
  ASSERT_EQ(expansion.cells.size(), 2u);
  EXPECT_EQ(expansion.cells[1].parameters, Json({{"a", 2}}));
}

TEST(Figures, HaveNamesAndTakeANameForAList) {
  const Study study = parse(
      "{study: s, trainer: {command: [x]}, grid: {a: [1, 2]}, report: {figures: [{kind: curves, "
      "metric: loss, where: {a: 1}}, {name: end, kind: scatter, x: a, y: loss, label: [a, seed], "
      "log_x: true}]}}");
  ASSERT_EQ(study.report.figures->size(), 2u);
  const Figure& curves = study.report.figures->at(0);
  EXPECT_EQ(curves.kind, FigureKind::curves);
  EXPECT_EQ(curves.name, "figure-1");
  EXPECT_THAT(curves.metrics, ElementsAre("loss"));
  EXPECT_EQ(curves.where, Json::parse(R"({"a": [1]})"));
  const Figure& scatter = study.report.figures->at(1);
  EXPECT_EQ(scatter.kind, FigureKind::scatter);
  EXPECT_EQ(scatter.name, "end");
  EXPECT_EQ(scatter.x + " " + scatter.y, "a loss");
  EXPECT_THAT(scatter.label, ElementsAre("a", "seed"));
  EXPECT_TRUE(scatter.log_x);
  EXPECT_FALSE(scatter.log_y);
}

TEST(Figures, ChangeNoCell) {
  const std::string head = "{study: s, trainer: {command: [x]}, grid: {a: [1, 2]}";
  const Expansion without = expand(parse(head + "}"));
  const Expansion with = expand(parse(head + ", report: {figures: [{kind: confusion}]}}"));
  ASSERT_EQ(with.cells.size(), without.cells.size());
  for (std::size_t i = 0; i < with.cells.size(); ++i)
    EXPECT_EQ(with.cells[i].hash, without.cells[i].hash);
}

}  // namespace
}  // namespace windrow::sweeps
