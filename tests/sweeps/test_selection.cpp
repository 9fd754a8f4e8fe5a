// Stages that select the best cells of an earlier one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sweeps/study.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Study parse_stages(const std::string& best, const std::string& rest = "") {
  return parse_study(
      "study: s\ntrainer: {command: [x]}\nstages:\n"
      "  one: {grid: {a: [1, 2, 3, 4], b: [0]}}\n"
      "  two: {best: " +
          best + ", grid: {c: [10, 20]}}\n" + rest,
      "s.yaml");
}

// The metric of stage one's cells, in their order; NaN leaves it out.
CellMetrics losses(const Study& study, const std::vector<double>& values) {
  CellMetrics metrics;
  const Expansion expansion = expand(study);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isnan(values[i])) metrics[expansion.cells[i].hash] = {{"loss", values[i]}, {"n", 1}};
  return metrics;
}

// "a=3 c=10" for each cell of the stage.
std::vector<std::string> cells_of(const Expansion& expansion, const std::string& stage,
                                  const std::vector<std::string>& keys = {"a", "c"}) {
  std::vector<std::string> lines;
  for (const Cell& cell : expansion.cells) {
    if (std::find(cell.stages.begin(), cell.stages.end(), stage) == cell.stages.end()) continue;
    std::string& line = lines.emplace_back();
    for (const std::string& key : keys)
      if (cell.parameters.contains(key))
        line += (line.empty() ? "" : " ") + key + "=" + cell.parameters[key].dump();
  }
  return lines;
}

TEST(Selection, TakesTheBestByTheMetricBestFirst) {
  const Study study = parse_stages("{count: 2, of: one, by: loss}");
  const Expansion expansion = expand(study, losses(study, {0.4, 0.2, 0.3, 0.1}), {"one"});
  EXPECT_EQ(expansion.stages.at("two").kind, StageState::Kind::expanded);
  EXPECT_THAT(cells_of(expansion, "two"),
              ElementsAre("a=4 c=10", "a=4 c=20", "a=2 c=10", "a=2 c=20"));
}

TEST(Selection, CanTakeTheLargest) {
  const Study study = parse_stages("{count: 1, of: one, by: loss, goal: max}");
  EXPECT_THAT(cells_of(expand(study, losses(study, {0.4, 0.2, 0.3, 0.1}), {"one"}), "two"),
              ElementsAre("a=1 c=10", "a=1 c=20"));
}

TEST(Selection, TiesGoToTheEarlierCell) {
  const Study study = parse_stages("{count: 2, of: one, by: loss}");
  EXPECT_THAT(cells_of(expand(study, losses(study, {0.2, 0.1, 0.1, 0.1}), {"one"}), "two"),
              ElementsAre("a=2 c=10", "a=2 c=20", "a=3 c=10", "a=3 c=20"));
  const Study largest = parse_stages("{count: 1, of: one, by: loss, goal: max}");
  EXPECT_THAT(cells_of(expand(largest, losses(largest, {0.1, 0.2, 0.2, 0.1}), {"one"}), "two"),
              ElementsAre("a=2 c=10", "a=2 c=20"));
}

TEST(Selection, KeepsOnlyWhatItTakes) {
  const Study study = parse_stages("{count: 1, of: one, by: loss, take: [a]}");
  const Expansion expansion = expand(study, losses(study, {4, 3, 2, 1}), {"one"});
  EXPECT_THAT(cells_of(expansion, "two", {"a", "b", "c"}), ElementsAre("a=4 c=10", "a=4 c=20"));
  const Study all = parse_stages("{count: 1, of: one, by: loss}");
  EXPECT_THAT(cells_of(expand(all, losses(all, {4, 3, 2, 1}), {"one"}), "two", {"a", "b", "c"}),
              ElementsAre("a=4 b=0 c=10", "a=4 b=0 c=20"));
}

TEST(Selection, CellsThatAgreeInWhatIsTakenGiveOneCell) {
  const Study study = parse_stages("{count: 3, of: one, by: loss, take: [b]}");
  const Expansion expansion = expand(study, losses(study, {4, 3, 2, 1}), {"one"});
  EXPECT_THAT(cells_of(expansion, "two", {"b", "c"}), ElementsAre("b=0 c=10", "b=0 c=20"));
  EXPECT_THAT(expansion.cells.back().stages, ElementsAre("two"))
      << "not once for each selected one";
}

TEST(Selection, PassesOverCellsWithoutTheMetric) {
  const Study study = parse_stages("{count: 2, of: one, by: loss}");
  CellMetrics metrics = losses(study, {std::nan(""), 0.2, 0.1, 0.3});
  const std::string worst = expand(study).cells[0].hash;
  metrics[worst] = {{"loss", std::nan("")}};  // reported, but no number
  EXPECT_THAT(cells_of(expand(study, metrics, {"one"}), "two"),
              ElementsAre("a=3 c=10", "a=3 c=20", "a=2 c=10", "a=2 c=20"));
}

TEST(Selection, TakesFewerWhereFewerFinished) {
  const Study study = parse_stages("{count: 3, of: one, by: loss}");
  const double none = std::nan("");
  EXPECT_THAT(cells_of(expand(study, losses(study, {none, none, 0.3, none}), {"one"}), "two"),
              ElementsAre("a=3 c=10", "a=3 c=20"));
}

TEST(Selection, WaitsUntilTheStageIsComplete) {
  const Study study = parse_stages("{count: 2, of: one, by: loss}");
  const Expansion expansion = expand(study, losses(study, {4, 3, 2, 1}), {});
  EXPECT_EQ(expansion.stages.at("two").kind, StageState::Kind::waiting);
  EXPECT_EQ(expansion.stages.at("two").reason, "waits for stage one");
  EXPECT_THAT(cells_of(expansion, "two"), IsEmpty());
}

TEST(Selection, IsImpossibleWhereAllFailed) {
  const Study study = parse_stages("{count: 2, of: one, by: loss}");
  const Expansion expansion = expand(study, {}, {"one"});
  EXPECT_EQ(expansion.stages.at("two").kind, StageState::Kind::impossible);
  EXPECT_EQ(expansion.stages.at("two").reason,
            "no trial of stage one finished, so none of its cells is the best");
}

TEST(Selection, IsImpossibleWithoutTheMetric) {
  const Study study = parse_stages("{count: 2, of: one, by: accuracy}");
  const Expansion expansion = expand(study, losses(study, {4, 3, 2, 1}), {"one"});
  EXPECT_EQ(expansion.stages.at("two").kind, StageState::Kind::impossible);
  EXPECT_EQ(expansion.stages.at("two").reason,
            "no cell of stage one has a number as metric accuracy; its trials report loss, n");
}

TEST(Selection, StagesFurtherOnWaitOrAreImpossibleToo) {
  const Study study =
      parse_stages("{count: 1, of: one, by: loss}", "  three: {best: {of: two, by: loss}}\n");
  EXPECT_EQ(expand(study).stages.at("three").reason, "waits for stage two");
  const Expansion failed = expand(study, {}, {"one"});
  EXPECT_EQ(failed.stages.at("three").kind, StageState::Kind::impossible);
  EXPECT_EQ(failed.stages.at("three").reason,
            "stage two, which it selects from, has no cells: no trial of stage one finished, so "
            "none of its cells is the best");
}

TEST(Selection, OfAChainTakesWhatTheFirstStageSwept) {
  const Study study =
      parse_stages("{count: 1, of: one, by: loss}", "  three: {best: {of: two, by: loss}}\n");
  CellMetrics metrics = losses(study, {4, 3, 2, 1});
  for (const Cell& cell : expand(study, metrics, {"one"}).cells)
    if (cell.stages[0] == "two")
      metrics[cell.hash] = {{"loss", cell.parameters["c"].get<double>()}};
  const Expansion expansion = expand(study, metrics, {"one", "two"});
  EXPECT_THAT(cells_of(expansion, "three", {"a", "b", "c"}), ElementsAre("a=4 b=0 c=10"));
  EXPECT_EQ(expansion.cells.size(), 6u) << "the cell is that of stage two, not a new one";
}

}  // namespace
}  // namespace windrow::sweeps
