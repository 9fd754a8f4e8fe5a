// Findings and the comparison as a study file declares them: read, emitted again, refused.
#include <gmock/gmock.h>

#include "sweeps/study_keys.h"
#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

// What follows `report:` begins in line 5.
std::string own_report(const std::string& report) {
  return "study: s\ntrainer: {command: [x]}\ngrid: {x: [1, 2], name: [a, b]}\nreport:\n" + report;
}
std::string cifar10_report(const std::string& report) {
  return "study: s\ntask: cifar10\nparameters: {model: cnn5x5, optimizer: adam, epochs: 3}\n"
         "report:\n" +
         report;
}
std::string finding(const std::string& keys) {
  return own_report("  findings:\n    - {claim: c, " + keys + "}\n");
}

constexpr const char* kAllKinds = R"(
  compare: {metric: val_loss, goal: max}
  findings:
    - {claim: "a: b", kind: best, stage: main, metric: [val_loss, train_loss], goal: max, parameter: optimizer, values: [adam]}
    - {claim: c, kind: compare, metric: val_loss, parameter: dropout, higher: 0.25, lower: 0}
    - {claim: c, kind: trend, metric: val_loss, parameter: dropout, direction: falling, values: [0, 0.5]}
    - {claim: c, kind: rank, metric: val_loss, cell: {dropout: 0.25}, first: 3}
    - {claim: c, kind: rank, metric: val_loss, cell: {dropout: 0.25}, last: 1}
    - {claim: c, kind: bound, metric: wall_seconds, cell: {dropout: 0}, below: 0.149, above: -1}
    - {claim: c, kind: bound, metric: epochs, below: 100}
    - {claim: c, kind: order, metric: val_loss, parameter: optimizer, values: [adam, sgd]}
    - {claim: c, kind: equal, metric: parameters, expected: [{cell: {dropout: 0}, value: 21001}], tolerance: 0.5}
    - {claim: c, kind: confused, cell: {dropout: 0}, classes: [cat, dog]}
)";

TEST(Findings, OfEveryKindAreReadAndEmittedAgain) {
  const Study study = parse_study(cifar10_report(kAllKinds), "s.yaml");
  const auto& findings = study.report.findings;
  ASSERT_EQ(findings.size(), 10U);
  EXPECT_EQ(study.report.compare->metric, "val_loss");
  EXPECT_EQ(study.report.compare->goal, protocol::Goal::maximize);
  EXPECT_EQ(findings[0].claim, "a: b");
  EXPECT_THAT(findings[0].metrics, testing::ElementsAre("val_loss", "train_loss"));
  EXPECT_EQ(findings[0].goal, protocol::Goal::maximize);
  EXPECT_EQ(findings[1].lower, Json(0.0));  // in the parameter's normal form
  EXPECT_FALSE(findings[2].rising);
  EXPECT_EQ(findings[3].first, 3);
  EXPECT_EQ(findings[5].above, -1.0);
  EXPECT_EQ(findings[8].expected[0].value, 21001);
  const Study again = parse_study(study.text, "again");
  EXPECT_EQ(again.text, study.text);
  EXPECT_EQ(again.hash, study.hash);
  for (std::size_t i = 0; i < findings.size(); ++i)
    EXPECT_EQ(to_json(again.report.findings[i]), to_json(findings[i]));
}

TEST(Findings, ChangeTheStudyButNoCell) {
  const Study with = parse_study(cifar10_report(kAllKinds), "s.yaml");
  const Study without = parse_study(cifar10_report("  caption: x\n"), "s.yaml");
  EXPECT_NE(with.hash, without.hash);
  EXPECT_EQ(expand(with).cells[0].hash, expand(without).cells[0].hash);
}

TEST(Findings, TheSchemaHasEachKindsKeys) {
  const Json schema = study_schema();
  const Json& rules = schema["$defs"]["finding"]["allOf"];
  ASSERT_EQ(rules.size(), finding_kinds().size());
  const Json& rank = rules[3];
  EXPECT_EQ(rank["if"]["properties"]["kind"]["const"], "rank");
  EXPECT_EQ(rank["then"]["required"], Json({"metric", "cell"}));
  EXPECT_EQ(rank["then"]["anyOf"][1]["required"], Json({"last"}));
  EXPECT_EQ(rank["then"]["properties"]["direction"], false);
  EXPECT_FALSE(rank["then"]["properties"].contains("goal"));
}

class RefusedFindings : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedFindings, WithPlaceValueAndRemedy) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Findings, RefusedFindings,
    testing::Values(
        Refusal{
            "UnknownKind", finding("kind: bst"),
            "s.yaml:6:24: kind: \"bst\" is no kind of finding; did you mean \"best\"? It is one "
            "of best, compare, trend, rank, bound, order, equal, confused"},
        Refusal{
            "NoKind", finding("metric: loss"),
            "s.yaml:6:7: findings: the key kind is missing; give what is asserted, and which of "
            "the other keys belong to it"},
        Refusal{"KeyOfAnotherKind",
                finding("kind: rank, metric: loss, cell: {x: 1}, first: 1, below: 3"),
                "s.yaml:6:68: below: a finding of kind rank has no such key; it has claim, kind, "
                "stage, metric, cell, goal, first, last"},
        Refusal{"MissingKey", finding("kind: order, metric: loss, parameter: x"),
                "s.yaml:6:7: values: the key is missing; a finding of kind order needs metric, "
                "parameter, values"},
        Refusal{"NeitherBound", finding("kind: bound, metric: loss, cell: {x: 1}"),
                "s.yaml:6:7: kind: a finding of kind bound needs below or above"},
        Refusal{"BothEnds", finding("kind: rank, metric: loss, cell: {x: 1}, first: 1, last: 1"),
                "s.yaml:6:68: last: first is given too; keep one of the two, or make two findings"},
        Refusal{"UnknownParameter",
                finding("kind: trend, metric: loss, parameter: nam, "
                        "direction: rising"),
                "s.yaml:6:56: nam: is no parameter of the study's cells; did you mean \"name\"? It "
                "is one of x, name"},
        Refusal{"UnknownParameterOfACell",
                finding("kind: rank, metric: loss, cell: {y: 1}, first: 1"),
                "s.yaml:6:51: y: is no parameter of the study's cells; use one of x, name"},
        Refusal{"UnknownStage",
                finding("kind: best, stage: mian, metric: loss, parameter: x, values: [1]"),
                "s.yaml:6:37: stage: there is no stage \"mian\"; did you mean \"main\"?"},
        Refusal{"OneValueIsNoOrder",
                finding("kind: order, metric: loss, parameter: x, values: [1]"),
                "s.yaml:6:67: values: it has 1 values; give at least 2"},
        Refusal{"SameValueTwice",
                finding("kind: best, metric: loss, parameter: x, values: [1, 1.0]"),
                "s.yaml:6:70: values: 1.0 stands twice in the list; remove one"},
        Refusal{"HigherIsLower",
                finding("kind: compare, metric: loss, parameter: x, higher: 1, lower: 1"),
                "s.yaml:6:79: lower: is the same value as higher; change one"},
        Refusal{"BadDirection", finding("kind: trend, metric: loss, parameter: x, direction: up"),
                "s.yaml:6:70: direction: \"up\" is not allowed; give rising or falling"},
        Refusal{"BadNumber", finding("kind: bound, metric: loss, cell: {x: 1}, below: low"),
                "s.yaml:6:66: below: \"low\" is no number; give one"},
        Refusal{"OneClass", finding("kind: confused, cell: {x: 1}, classes: [cat]"),
                "s.yaml:6:57: classes: give two classes, for example [cat, dog]"},
        Refusal{
            "NoList", own_report("  findings: best\n"),
            "s.yaml:5:13: findings: \"best\" is no list; give a list of maps, for example "
            "[{claim: Adam is best, kind: best, metric: val_loss, parameter: optimizer, values: "
            "[adam]}], or remove the key"},
        Refusal{"UnknownMetricOfATask", cifar10_report("  compare: {metric: valloss}\n"),
                "s.yaml:5:21: metric: \"valloss\" is no metric of task cifar10; did you mean "
                "\"val_loss\"? It is one of train_loss, train_top1_error, train_top5_error, "
                "val_loss, val_top1_error, val_top5_error, "
                "learning_rate, test_loss, test_top1_error, test_top5_error, parameters, epochs, "
                "wall_seconds"},
        Refusal{
            "ValueOutOfRange",
            cifar10_report("  findings:\n    - {claim: c, kind: best, metric: val_loss, parameter: "
                           "dropout, values: [1.5]}\n"),
            "s.yaml:6:77: dropout: 1.5 is out of range; give a number of at least 0 and less "
            "than 1"}),
    refusal_name);

}  // namespace
}  // namespace windrow::sweeps
