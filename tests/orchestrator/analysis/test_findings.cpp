#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/analysis/findings.h"
#include "tests/orchestrator/analysis/samples.h"

namespace windrow::analysis {
namespace {

using sweeps::Finding;
using sweeps::FindingKind;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

StudyResults results_of(std::vector<CellResult> cells) {
  return {std::move(cells), {"optimizer", "dropout"}};
}

CellResult optimizer(const std::string& name, const std::vector<double>& losses) {
  return cell({{"optimizer", name}, {"dropout", 0.0}}, losses);
}
CellResult optimizer_of(const std::string& name, std::vector<TrialResult> trials) {
  return cell_of({{"optimizer", name}, {"dropout", 0.0}}, std::move(trials));
}
CellResult dropout(const std::string& name, double rate, const std::vector<double>& losses) {
  return cell({{"optimizer", name}, {"dropout", rate}}, losses);
}

Finding adam_is_best() {
  return {.claim = "Adam is best",
          .kind = FindingKind::best,
          .metrics = {"loss"},
          .parameter = "optimizer",
          .values = {"adam"}};
}
Finding dropout_raises() {
  return {.claim = "dropout raises the loss",
          .kind = FindingKind::compare,
          .metrics = {"loss"},
          .parameter = "dropout",
          .higher = 0.25,
          .lower = 0.0};
}
Finding rate_trend() {
  return {.claim = "a higher rate raises it",
          .kind = FindingKind::trend,
          .metrics = {"loss"},
          .parameter = "dropout"};
}
Finding place_of(const std::string& name, int first, int last = 0) {
  return {.claim = "its place",
          .kind = FindingKind::rank,
          .metrics = {"loss"},
          .cell = {{"optimizer", name}},
          .first = first,
          .last = last};
}

std::vector<std::optional<bool>> answers(const FindingResult& result) {
  std::vector<std::optional<bool>> out;
  for (const Check& check : result.checks) out.push_back(check.holds);
  return out;
}

// ---- best

TEST(Best, HoldsWhereEveryOtherCellIsWorse) {
  const auto result = check_finding(
      adam_is_best(), results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0})}));
  EXPECT_EQ(result.verdict, Verdict::holds);
  EXPECT_EQ(result.text, "holds; one seed, so chance can't be ruled out");
  EXPECT_EQ(result.checks[0].against, 2.0);
}

TEST(Best, TheGoalSaysWhichEnd) {
  Finding finding = adam_is_best();
  finding.goal = protocol::Goal::maximize;
  const StudyResults results = results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0})});
  EXPECT_EQ(check_finding(finding, results).verdict, Verdict::fails);
}

TEST(Best, OfSeveralValuesSomeMayBe) {
  Finding finding = adam_is_best();
  finding.values = {"adam", "rmsprop"};
  const auto result = check_finding(
      finding,
      results_of({optimizer("sgd", {1.5}), optimizer("adam", {1.0}), optimizer("rmsprop", {2.0})}));
  EXPECT_EQ(result.verdict, Verdict::partly);
  EXPECT_THAT(answers(result), ElementsAre(true, false));
  EXPECT_THAT(result.text, StartsWith("holds in 1 of 2"));
}

TEST(Best, ATieIsNotBetter) {
  const auto result = check_finding(
      adam_is_best(), results_of({optimizer("sgd", {1.0}), optimizer("adam", {1.0})}));
  EXPECT_EQ(result.verdict, Verdict::fails);
  EXPECT_THAT(result.checks[0].note, HasSubstr("tied"));
}

TEST(Best, IsNotKnownWhileAnotherCellRuns) {
  const auto result = check_finding(
      adam_is_best(), results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0}),
                                  optimizer_of("rmsprop", std::vector{open_trial()})}));
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_THAT(result.text, StartsWith("not yet known"));
  EXPECT_THAT(result.text, HasSubstr("optimizer=rmsprop dropout=0.0: 1 of 1 not over"));
}

TEST(Best, IsRefutedByOneBetterCellWhateverTheOthersGive) {
  const auto result = check_finding(
      adam_is_best(), results_of({optimizer("sgd", {0.5}), optimizer("adam", {1.0}),
                                  optimizer_of("rmsprop", std::vector{open_trial()})}));
  EXPECT_EQ(result.verdict, Verdict::fails);
}

TEST(Best, ADivergedCellStandsLastAndACrashedOneIsNotKnown) {
  const auto with = [](const char* kind) {
    return check_finding(adam_is_best(),
                         results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0}),
                                     optimizer_of("rmsprop", std::vector{failed(kind)})}));
  };
  EXPECT_EQ(with("nan").verdict, Verdict::holds);
  EXPECT_EQ(with("crash").verdict, Verdict::unknown);
  EXPECT_THAT(with("crash").text, StartsWith("can't be known"));
  // And one that diverged is best of nothing.
  EXPECT_EQ(
      check_finding(adam_is_best(), results_of({optimizer("sgd", {2.0}),
                                                optimizer_of("adam", std::vector{failed("nan")})}))
          .verdict,
      Verdict::fails);
}

TEST(Best, AMetricThatNoTrialReportsIsNotKnown) {
  Finding finding = adam_is_best();
  finding.metrics = {"accuracy"};
  const auto result =
      check_finding(finding, results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0})}));
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_THAT(result.text, EndsWith("1 of 1 without a number for accuracy"));
}

TEST(Best, SeveralMetricsAreSeveralChecks) {
  Finding finding = adam_is_best();
  finding.metrics = {"loss", "error"};
  StudyResults results = results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0})});
  results.cells[0].trials[0].metrics["error"] = 0.1;
  results.cells[1].trials[0].metrics["error"] = 0.2;
  EXPECT_THAT(answers(check_finding(finding, results)), ElementsAre(true, false));
}

// ---- rank

const std::vector<CellResult> kFour = {optimizer("a", {1.0}), optimizer("b", {2.0}),
                                       optimizer("c", {3.0}), optimizer("d", {4.0})};

TEST(Rank, FirstAndLastPlaces) {
  const StudyResults results = results_of(kFour);
  EXPECT_EQ(check_finding(place_of("b", 2), results).verdict, Verdict::holds);
  EXPECT_EQ(check_finding(place_of("c", 2), results).verdict, Verdict::fails);
  EXPECT_EQ(check_finding(place_of("d", 0, 1), results).verdict, Verdict::holds);
  EXPECT_EQ(check_finding(place_of("c", 0, 1), results).verdict, Verdict::fails);
  EXPECT_THAT(check_finding(place_of("b", 2), results).checks[0].note,
              HasSubstr("place 2 of 4; against optimizer=c"));
}

TEST(Rank, EqualsShareTheBetterPlace) {
  const StudyResults results = results_of({optimizer("a", {1.0}), optimizer("b", {1.0})});
  EXPECT_EQ(check_finding(place_of("a", 1), results).verdict, Verdict::holds);
  EXPECT_EQ(check_finding(place_of("b", 1), results).verdict, Verdict::holds);
}

TEST(Rank, WhatIsMissingMayStillPushItOut) {
  std::vector<CellResult> cells = kFour;
  cells[3].trials = {open_trial()};
  const StudyResults results = results_of(cells);
  EXPECT_EQ(check_finding(place_of("a", 2), results).verdict, Verdict::holds);
  EXPECT_EQ(check_finding(place_of("b", 2), results).verdict, Verdict::unknown);
  EXPECT_EQ(check_finding(place_of("c", 2), results).verdict, Verdict::fails);
  EXPECT_EQ(check_finding(place_of("d", 2), results).verdict, Verdict::unknown);
}

TEST(Rank, WithoutSuchACellNothingIsKnown) {
  const auto result = check_finding(place_of("z", 1), results_of(kFour));
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_THAT(result.text, HasSubstr("there is no such cell"));
}

// ---- compare

TEST(Compare, EachPairThatDiffersInNothingElse) {
  const auto result = check_finding(
      dropout_raises(), results_of({dropout("sgd", 0.0, {1.0}), dropout("adam", 0.0, {2.0}),
                                    dropout("sgd", 0.25, {1.5}), dropout("adam", 0.25, {1.9}),
                                    dropout("adam", 0.5, {9.0}), dropout("rmsprop", 0.25, {9.0})}));
  EXPECT_THAT(answers(result), ElementsAre(true, false));
  EXPECT_EQ(result.checks[0].what, "optimizer=sgd");
  EXPECT_EQ(result.checks[0].value, 1.5);
  EXPECT_EQ(result.checks[0].against, 1.0);
}

TEST(Compare, SeedsArePairedAndTheirPAdjusted) {
  const auto result = check_finding(
      dropout_raises(),
      results_of({dropout("sgd", 0.0, {1.0, 2.0, 3.0}), dropout("sgd", 0.25, {1.5, 2.51, 3.49}),
                  dropout("adam", 0.0, {1.0, 2.0, 3.0}), dropout("adam", 0.25, {3.0, 2.0, 1.1})}));
  ASSERT_EQ(result.checks.size(), 2U);
  EXPECT_NEAR(result.checks[0].difference.mean, 0.5, 1e-12);
  EXPECT_LT(*result.checks[0].p_holm, 0.001);
  EXPECT_NEAR(*result.checks[0].p_holm, 2 * *result.checks[0].difference.p, 1e-12);
  EXPECT_THAT(answers(result), ElementsAre(true, true));
  EXPECT_EQ(result.text, "holds in 2 of 2; beyond chance (p < 0.05, Holm) in 1 of these");
}

TEST(Compare, FailedSeedsAreNamedAndNotAveraged) {
  StudyResults results =
      results_of({dropout("sgd", 0.0, {1.0, 1.0, 1.0}), dropout("sgd", 0.25, {1.5, 2.0, 99.0})});
  results.cells[1].trials[2] = failed("nan");
  const auto result = check_finding(dropout_raises(), results);
  EXPECT_EQ(result.checks[0].value, 1.75);
  EXPECT_EQ(result.checks[0].difference.n, 2);
  EXPECT_THAT(result.checks[0].note, HasSubstr("1 of 3 failed: nan"));
}

TEST(Compare, ACellThatFailedAltogetherCantBeCompared) {
  StudyResults results = results_of({dropout("sgd", 0.0, {1.0}), dropout("sgd", 0.25, {1.5})});
  results.cells[1].trials[0] = failed("nan");
  const auto result = check_finding(dropout_raises(), results);
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_THAT(result.text, HasSubstr("1 of 1 failed: nan"));
}

TEST(Compare, WithoutAPairNothingIsKnown) {
  const auto result = check_finding(
      dropout_raises(), results_of({dropout("sgd", 0.0, {1.0}), dropout("adam", 0.25, {1.5})}));
  EXPECT_EQ(result.verdict, Verdict::unknown);
  EXPECT_THAT(result.text, HasSubstr("no two cells differ in that alone"));
}

// ---- trend

TEST(Trend, EveryStepMustRise) {
  const auto result = check_finding(
      rate_trend(), results_of({dropout("sgd", 0.5, {3.0}), dropout("sgd", 0.1, {1.0}),
                                dropout("sgd", 0.25, {2.0}), dropout("adam", 0.1, {1.0}),
                                dropout("adam", 0.25, {2.0}), dropout("adam", 0.5, {2.0})}));
  EXPECT_THAT(answers(result), ElementsAre(true, false));
  EXPECT_EQ(result.checks[0].note, "0.1: 1, 0.25: 2, 0.5: 3");
  EXPECT_THAT(result.checks[1].note, HasSubstr("1 of 2 steps not rising"));
}

TEST(Trend, FallingAndChosenValues) {
  Finding finding = rate_trend();
  finding.rising = false;
  finding.values = {0.1, 0.5};
  const auto result =
      check_finding(finding, results_of({dropout("sgd", 0.1, {3.0}), dropout("sgd", 0.25, {9.0}),
                                         dropout("sgd", 0.5, {1.0})}));
  EXPECT_EQ(result.verdict, Verdict::holds);
}

TEST(Trend, ThePIsThatOfTheWeakestStep) {
  const auto result = check_finding(
      rate_trend(),
      results_of({dropout("sgd", 0.1, {1.0, 2.0, 3.0}), dropout("sgd", 0.25, {2.0, 3.01, 4.0}),
                  dropout("sgd", 0.5, {2.5, 3.0, 4.3})}));
  EXPECT_EQ(result.verdict, Verdict::holds);
  EXPECT_GT(*result.checks[0].difference.p, 0.05);
  EXPECT_EQ(result.text, "holds; not distinguishable from chance at 5%");
}

TEST(Trend, AMissingStepLeavesItOpenUnlessItIsBrokenElsewhere) {
  StudyResults results = results_of(
      {dropout("sgd", 0.1, {1.0}), dropout("sgd", 0.25, {2.0}), dropout("sgd", 0.5, {3.0})});
  results.cells[2].trials[0] = open_trial();
  EXPECT_EQ(check_finding(rate_trend(), results).verdict, Verdict::unknown);
  EXPECT_TRUE(check_finding(rate_trend(), results).checks.at(0).open);
  results.cells[2].trials[0].state = TrialResult::State::failed;  // nothing is open any more
  EXPECT_FALSE(check_finding(rate_trend(), results).checks.at(0).open);
  results.cells[0] = dropout("sgd", 0.1, {5.0});
  EXPECT_EQ(check_finding(rate_trend(), results).verdict, Verdict::fails);
  // The cells beside one that is open are not compared with it, nor with each other.
  for (const double last : {-9.0, 9.0}) {
    results = results_of(
        {dropout("sgd", 0.1, {-1.0}), dropout("sgd", 0.25, {2.0}), dropout("sgd", 0.5, {last})});
    results.cells[1].trials[0] = open_trial();
    EXPECT_EQ(check_finding(rate_trend(), results).verdict, Verdict::unknown);
  }
}

// ---- order, bound, equal, confused

TEST(Order, EveryCellOfOneBelowEveryCellOfTheNext) {
  const Finding finding{.claim = "order",
                        .kind = FindingKind::order,
                        .metrics = {"loss"},
                        .parameter = "optimizer",
                        .values = {"a", "b", "c"}};
  EXPECT_EQ(check_finding(finding, results_of(kFour)).verdict, Verdict::holds);
  std::vector<CellResult> cells = kFour;
  cells.push_back(dropout("b", 0.5, {3.5}));
  EXPECT_THAT(answers(check_finding(finding, results_of(cells))), ElementsAre(true, false));
}

TEST(Bound, BelowAndAboveWithTheIntervalOfTheMean) {
  const Finding finding{.claim = "bound",
                        .kind = FindingKind::bound,
                        .metrics = {"loss"},
                        .cell = {{"optimizer", "a"}},
                        .below = 1.5,
                        .above = 1.2};
  const auto result = check_finding(finding, results_of({optimizer("a", {1.0, 1.1, 1.2})}));
  EXPECT_THAT(answers(result), ElementsAre(true, false));
  EXPECT_NEAR(result.checks[0].difference.mean, -0.4, 1e-12);
  EXPECT_LT(*result.checks[0].difference.p, 0.05);
}

TEST(Bound, WithoutACellIsOfEveryCell) {
  const Finding finding{
      .claim = "bound", .kind = FindingKind::bound, .metrics = {"loss"}, .below = 1.5};
  const auto result =
      check_finding(finding, results_of({optimizer("a", {1.0, 1.2}), optimizer("b", {1.4, 1.8})}));
  EXPECT_THAT(answers(result), ElementsAre(true, false));
}

TEST(Equal, ForEverySeedWithinTheTolerance) {
  Finding finding{.claim = "equal",
                  .kind = FindingKind::equal,
                  .metrics = {"loss"},
                  .expected = {{{{"optimizer", "a"}}, 301}, {{{"optimizer", "b"}}, 91}}};
  const StudyResults results = results_of({optimizer("a", {301, 301}), optimizer("b", {91, 92})});
  EXPECT_THAT(answers(check_finding(finding, results)), ElementsAre(true, false));
  EXPECT_EQ(check_finding(finding, results).text, "holds in 1 of 2");
  finding.tolerance = 1;
  EXPECT_EQ(check_finding(finding, results).text, "holds in 2 of 2");
}

TEST(Confused, TheLargestPairEitherWay) {
  const Finding finding{.claim = "cats and dogs",
                        .kind = FindingKind::confused,
                        .cell = {{"optimizer", "a"}},
                        .classes = {"dog", "cat"}};
  StudyResults results = results_of({optimizer("a", {1.0, 1.0, 1.0})});
  auto& trials = results.cells[0].trials;
  trials[0].confusion = Confusion{{"cat", "dog", "car"}, {{90, 6, 4}, {5, 95, 0}, {6, 0, 94}}};
  trials[1].confusion = Confusion{{"cat", "dog", "car"}, {{90, 1, 9}, {1, 99, 0}, {0, 0, 99}}};
  const auto result = check_finding(finding, results);
  EXPECT_THAT(answers(result), ElementsAre(true, false, std::nullopt));
  EXPECT_EQ(result.checks[0].value, 11.0);
  EXPECT_EQ(result.checks[0].against, 10.0);
  EXPECT_EQ(result.checks[1].note, "more often: cat and car");
  EXPECT_EQ(result.checks[2].note, "has no artefact confusion");
  EXPECT_EQ(result.text, "holds in 1 of 3, 1 can't be known");
}

TEST(Confused, TheOnlyPairIsTheLargest) {
  const Finding finding{
      .claim = "cats and dogs", .kind = FindingKind::confused, .classes = {"dog", "cat"}};
  StudyResults results = results_of({optimizer("a", {1.0})});
  results.cells[0].trials[0].confusion = Confusion{{"cat", "dog"}, {{9, 0}, {1, 9}}};
  EXPECT_EQ(check_finding(finding, results).verdict, Verdict::holds);
}

TEST(Confused, AMatrixOfAnotherFormIsNotKnown) {
  const Finding finding{
      .claim = "cats and dogs", .kind = FindingKind::confused, .classes = {"dog", "cat"}};
  StudyResults results = results_of({optimizer("a", {1.0})});
  results.cells[0].trials[0].confusion = Confusion{{"cat", "dog"}, {{1, 2}}};
  EXPECT_THAT(check_finding(finding, results).text, HasSubstr("malformed"));
  results.cells[0].trials[0].confusion = Confusion{{"cat", "car"}, {{1, 2}, {3, 4}}};
  EXPECT_THAT(check_finding(finding, results).text, HasSubstr("no class dog"));
  results.cells[0].trials[0].confusion = Confusion{{"dog", "car"}, {{1, 2}, {3, 4}}};
  EXPECT_THAT(check_finding(finding, results).text, HasSubstr("no class cat"));
}

// ---- stages and output

TEST(Findings, LookAtTheirStageOnly) {
  StudyResults results = results_of({optimizer("sgd", {2.0}), optimizer("adam", {1.0})});
  results.cells.push_back(
      cell({{"optimizer", "sgd"}, {"dropout", 0.5}}, std::vector{0.1}, {"other"}));
  Finding finding = adam_is_best();
  EXPECT_EQ(check_finding(finding, results).verdict, Verdict::fails);
  finding.stage = "main";
  EXPECT_EQ(check_finding(finding, results).verdict, Verdict::holds);
}

TEST(Findings, OfAStageThatWaitsOrNeverComes) {
  StudyResults results = results_of(kFour);
  Finding finding = adam_is_best();
  finding.stage = "second";
  results.unexpanded["second"] = {sweeps::StageState::Kind::waiting, "waits for stage first"};
  EXPECT_EQ(check_finding(finding, results).text,
            "not yet known: stage second: waits for stage first");
  results.unexpanded["second"] = {sweeps::StageState::Kind::impossible, "all failed"};
  EXPECT_EQ(check_finding(finding, results).text, "can't be known: stage second: all failed");
}

TEST(Findings, EvidenceHasTheNumbers) {
  const auto result = check_finding(
      dropout_raises(),
      results_of({dropout("sgd", 0.0, {1.0, 2.0, 3.0}), dropout("sgd", 0.25, {1.5, 2.51, 3.49})}));
  EXPECT_THAT(
      evidence_of(result.checks[0]),
      StartsWith("yes  optimizer=sgd: loss 2.5 against 2, difference 0.5 ± 0.025 (n = 3, p = "));
  const storage::ResultTable table = evidence_table(result);
  EXPECT_EQ(table.columns.size(), table.rows[0].size());
  EXPECT_EQ(table.rows[0][2], storage::Value{std::string("yes")});
  EXPECT_EQ(table.rows[0][7], storage::Value{std::int64_t{3}});
}

}  // namespace
}  // namespace windrow::analysis
