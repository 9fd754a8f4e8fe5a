#include <gtest/gtest.h>

#include "orchestrator/analysis/comparison.h"
#include "tests/orchestrator/analysis/samples.h"

namespace windrow::analysis {
namespace {

Comparison compare(const std::vector<CellResult>& cells,
                   protocol::Goal goal = protocol::Goal::minimize) {
  std::vector<const CellResult*> pointers;
  for (const CellResult& each : cells) pointers.push_back(&each);
  return compare_with_best(pointers, {"loss", goal});
}

TEST(Comparison, BestIsTheLowestOrHighestMean) {
  const std::vector<CellResult> cells = {cell({{"x", 1}}, {2.0, 2.2}), cell({{"x", 2}}, {1.0, 1.4}),
                                         cell({{"x", 3}}, {3.0, 3.0})};
  EXPECT_EQ(compare(cells).best, 1U);
  EXPECT_TRUE(compare(cells).cells[1].is_best);
  EXPECT_EQ(compare(cells, protocol::Goal::maximize).best, 2U);
}

TEST(Comparison, DifferencesArePairedBySeedAndAdjusted) {
  const std::vector<CellResult> cells = {cell({{"x", 1}}, {1.0, 2.0, 3.0}),
                                         cell({{"x", 2}}, {1.1, 2.1, 3.2}),
                                         cell({{"x", 3}}, {2.0, 2.0, 3.1})};
  const Comparison result = compare(cells);
  EXPECT_EQ(result.best, 0U);
  EXPECT_TRUE(result.possible());
  // Unpaired, the seeds' spread of 1 would hide a difference of a tenth.
  const Estimate& near = result.cells[1].difference;
  EXPECT_NEAR(near.mean, 0.4 / 3, 1e-12);
  EXPECT_LT(*near.p, 0.06);
  EXPECT_NEAR(*result.cells[1].p_holm, 2 * *near.p, 1e-12);
  EXPECT_EQ(*result.cells[2].p_holm, *result.cells[2].difference.p);
  EXPECT_FALSE(result.cells[0].p_holm);
}

TEST(Comparison, FailedCellsAreNeitherBestNorCompared) {
  const std::vector<CellResult> cells = {cell_of({{"x", 1}}, {failed("nan"), failed("nan")}),
                                         cell({{"x", 2}}, {5.0, 6.0}),
                                         cell_of({{"x", 3}}, {finished(7.0), failed("nan")})};
  const Comparison result = compare(cells);
  EXPECT_EQ(result.best, 1U);
  EXPECT_EQ(result.cells[0].difference.n, 0);
  EXPECT_EQ(result.cells[2].difference.n, 1);
  EXPECT_FALSE(result.possible());
}

TEST(Comparison, OneSeedGivesNone) {
  const Comparison result = compare({cell({{"x", 1}}, {1.0}), cell({{"x", 2}}, {2.0})});
  EXPECT_EQ(result.best, 0U);
  EXPECT_FALSE(result.possible());
}

TEST(Comparison, NothingToCompare) {
  EXPECT_EQ(compare({cell_of({{"x", 1}}, {open_trial()})}).best, std::nullopt);
  EXPECT_EQ(compare({}).best, std::nullopt);
}

}  // namespace
}  // namespace windrow::analysis
