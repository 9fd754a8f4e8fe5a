// What grids, cases, stages and selections are refused for.
#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

// A study of a program of one's own; what follows begins in line 3.
std::string of_own(const std::string& rest) {
  return "study: s\ntrainer: {command: [x]}\n" + rest;
}
// A study of task cifar10; what follows begins in line 4.
std::string of_cifar10(const std::string& rest) {
  return "study: s\ntask: cifar10\nparameters: {model: cnn5x5, epochs: 3}\n" + rest;
}
// Two stages, the second one of which says `rest`, in line 6.
std::string second_stage(const std::string& rest) {
  return of_own("stages:\n  a: {grid: {x: [1, 2], y: [3]}}\n  b:\n    " + rest + "\n");
}

class RefusedStages : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedStages, WithPlaceValueAndRemedy) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, RefusedStages,
    testing::Values(
        Refusal{"ZipOfOtherLengths", of_own("zip: {a: [1, 2], b: [3]}\n"),
                "s.yaml:3:18: b: has 1 values, and a, which it runs together with, has 2; give "
                "lists of the same length"},
        Refusal{"ZipOfOneValue", of_own("zip: {a: 1}\n"),
                "s.yaml:3:10: a: 1 is no list of values; give one, for example [1]"},
        Refusal{"ZipEmpty", of_own("zip: {}\n"),
                "s.yaml:3:6: zip: it is empty; give lists of the same length, for example {lr: "
                "[0.1, 0.01], batch: [32, 64]}"},
        Refusal{"ZipAndGrid", of_own("grid: {a: [1]}\nzip: {a: [1, 2]}\n"),
                "s.yaml:4:7: a: it is swept already, in line 3; keep one of the two"},
        Refusal{"ZipAndFixed", of_own("parameters: {a: 1}\nzip: {a: [1, 2]}\n"),
                "s.yaml:4:7: a: it is fixed too, in line 3; keep one of the two"},
        Refusal{"WhenOfNothing", of_own("grid: {a: [1]}\nwhen: {a: {}}\n"),
                "s.yaml:4:11: a: it is empty, and would fit every combination; name a parameter"},
        Refusal{"WhenOfItself", of_own("grid: {a: [1]}\nwhen: {a: {a: 1}}\n"),
                "s.yaml:4:11: a: it can't hang on itself; name another parameter"},
        Refusal{"WhenMisspelt", of_own("grid: {rate: [1], kind: [x]}\nwhen: {rat: {kind: x}}\n"),
                "s.yaml:4:8: rat: the stage gives no such parameter; did you mean \"rate\"? It "
                "is one of kind, rate"},
        Refusal{"ExcludeMisspelt", of_own("grid: {rate: [1], kind: [x]}\nexclude: [{knd: x}]\n"),
                "s.yaml:4:12: knd: the stage gives no such parameter; did you mean \"kind\"? "
                "It is one of kind, rate"},
        Refusal{"ExcludeNoList", of_own("grid: {a: [1]}\nexclude: {a: 1}\n"),
                "s.yaml:4:10: exclude: a map is no list; give a list of partial combinations, for "
                "example [{optimizer: sgd, lr: 1}]"},
        Refusal{"ExcludeOutOfRange",
                of_cifar10("exclude: [{dropout: 2}]\ngrid: {optimizer: [sgd]}\n"),
                "s.yaml:4:21: dropout: 2 is out of range; give a number of at least 0 and less "
                "than 1"},
        Refusal{"BesideStages", of_own("exclude: [{x: 1}]\nstages: {a: {grid: {x: [1, 2]}}}\n"),
                "s.yaml:3:1: exclude: the study has stages, in line 4; move it into a stage"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Grid, RefusedStages,
    testing::Values(
        Refusal{"Empty", of_own("grid: {}\n"),
                "s.yaml:3:7: grid: it is empty; give parameters with lists of values, for example "
                "{lr: [0.1, 0.01]}"},
        Refusal{"NoValue", of_own("grid:\n"),
                "s.yaml:3:1: grid: no value is no map; give parameters with lists of values, for "
                "example {lr: [0.1, 0.01]}"},
        Refusal{"EmptyAxis", of_own("grid: {lr: []}\n"),
                "s.yaml:3:12: lr: its list of values is empty; give at least one value"},
        Refusal{"SingleValue", of_own("grid: {lr: 0.1}\n"),
                "s.yaml:3:12: lr: 0.1 is no list of values; give one, for example [0.1]"},
        Refusal{"AxisTwice", of_own("grid:\n  lr: [1]\n  lr: [2]\n"),
                "s.yaml:5:3: lr: the key is given twice, first in line 4; remove one"},
        Refusal{"ValueTwice", of_own("grid: {lr: [0.1, 0.2, 1e-1]}\n"),
                "s.yaml:3:23: lr: 0.1 stands twice in its list; remove one"},
        Refusal{"IntegerAndSameFloat", of_own("grid: {lr: [1, 1.0]}\n"),
                "s.yaml:3:16: lr: 1.0 stands twice in its list; remove one"},
        Refusal{"ValueOutOfRange", of_cifar10("grid: {optimizer: [sgd], dropout: [0.5, 1.5]}\n"),
                "s.yaml:4:41: dropout: 1.5 is out of range; give a number of at least 0 and less "
                "than 1"},
        Refusal{"ListAsValue", of_own("grid: {lr: [[1], 2]}\n"),
                "s.yaml:3:13: lr: a list is no single value; a parameter has one value; several go "
                "into grid or cases, and a list that is one value is written as text that your "
                "program takes apart, for example \"64,64\""},
        Refusal{"FixedToo", of_own("parameters: {lr: 1}\ngrid: {lr: [1, 2]}\n"),
                "s.yaml:4:8: lr: it is fixed too, in line 3; keep one of the two"},
        Refusal{
            "TooManyCells",
            of_own("grid:\n  a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  b: [1, 2, 3, 4, 5, 6, 7, 8, 9, "
                   "10]\n  c: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  d: [1, 2, 3, 4, 5, 6, 7, 8, 9, "
                   "10]\n  e: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  f: [1, 2, 3, 4, 5, 6, 7, 8, 9, "
                   "10]\n  g: [1, 2]\n"),
            "s.yaml:1:1: main: it has up to 2000000 cells; give at most 1000000, for example in "
            "several studies"},
        Refusal{"TooManyTrials",
                of_own("seeds: 1000000\ngrid:\n  a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n"),
                "s.yaml:1:1: main: it has up to 11000000 trials (cells x seeds); give at most "
                "10000000, for example in several studies"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Cases, RefusedStages,
    testing::Values(
        Refusal{
            "Empty", of_own("cases: []\n"),
            "s.yaml:3:8: cases: it is empty; give a list of maps, for example [{lr: 0.1, depth: "
            "2}, {lr: 0.01, depth: 3}]"},
        Refusal{"NoList", of_own("cases: {lr: 1}\n"),
                "s.yaml:3:8: cases: a map is no list; give a list of maps, for example [{lr: 0.1, "
                "depth: 2}, {lr: 0.01, depth: 3}]"},
        Refusal{"EmptyCase", of_own("cases:\n  - {a: 1}\n  - {}\n"),
                "s.yaml:5:5: cases: this case is empty; give parameters or remove it"},
        Refusal{"NoMap", of_own("cases: [5]\n"),
                "s.yaml:3:9: cases: 5 is no map; give parameters with values, for example {lr: "
                "0.1}"},
        Refusal{"SameCellTwice",
                of_own("cases:\n  - {a: 1, b: 2}\n  - {a: 2, b: 2}\n  - {b: 2.0, a: 1}\n"),
                "s.yaml:6:5: cases: this case is the same cell as the one in line 4; remove one"},
        Refusal{"SameCellByADefault",
                of_cifar10("cases:\n  - {optimizer: sgd}\n  - {optimizer: sgd, lr: 0.001}\n"),
                "s.yaml:6:5: cases: this case is the same cell as the one in line 5; remove one"},
        Refusal{"SweptByTheGridToo", of_own("grid: {a: [1]}\ncases:\n  - {a: 1}\n"),
                "s.yaml:5:6: a: the grid sweeps it too, in line 3; keep one of the two"},
        Refusal{"FixedToo", of_own("parameters: {a: 1}\ncases:\n  - {a: 1}\n"),
                "s.yaml:5:6: a: it is fixed too, in line 3; keep one of the two"},
        Refusal{"RequiredMissingInOne", of_cifar10("cases:\n  - {optimizer: sgd}\n  - {lr: 0.1}\n"),
                "s.yaml:6:5: optimizer: the parameter is missing; give one of sgd, nesterov, "
                "adagrad, rmsprop, adam, adamw"},
        Refusal{"OnlyTheBadValues",
                of_cifar10("cases:\n  - {optimizer: sgd, lr: -1}\n  - {optimizer: sgd, lr: -2}\n"),
                "s.yaml:5:26: lr: -1 is out of range; give a number greater than 0\n"
                "s.yaml:6:26: lr: -2 is out of range; give a number greater than 0"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Stages, RefusedStages,
    testing::Values(
        Refusal{"Empty", of_own("stages: {}\n"),
                "s.yaml:3:9: stages: it is empty; give a stage, for example {first: {grid: {lr: "
                "[0.1]}}}"},
        Refusal{"NoMap", of_own("stages: [a]\n"),
                "s.yaml:3:9: stages: a list is no map; give stages by name, for example {first: "
                "{grid: {lr: [0.1]}}}"},
        Refusal{"EmptyStage", of_own("stages:\n  a:\n"),
                "s.yaml:4:3: a: no value is no map; give one with keys of parameters, grid, cases, "
                "zip, when, exclude, best"},
        Refusal{"UnknownKey", of_own("stages:\n  a: {gird: {lr: [1]}}\n"),
                "s.yaml:4:7: gird: unknown key; did you mean \"grid\"? It is one of parameters, "
                "grid, cases, zip, when, exclude, best"},
        Refusal{"StageTwice", of_own("stages:\n  a: {grid: {lr: [1]}}\n  a: {grid: {lr: [2]}}\n"),
                "s.yaml:5:3: a: the key is given twice, first in line 4; remove one"},
        Refusal{
            "BadName", of_own("stages:\n  a,b: {grid: {lr: [1]}}\n"),
            "s.yaml:4:3: a,b: is no name for a stage; give up to 100 letters, digits and . _ -, "
            "beginning with a letter or digit"},
        Refusal{"GridBesideStages", of_own("stages:\n  a: {grid: {lr: [1]}}\ngrid: {lr: [2]}\n"),
                "s.yaml:5:1: grid: the study has stages, in line 3; move it into a stage"},
        Refusal{"FixedAndSwept", second_stage("{parameters: {z: 1}, grid: {z: [1, 2]}}"),
                "s.yaml:6:33: z: it is fixed too, in line 6; keep one of the two"},
        Refusal{"RequiredMissing",
                of_cifar10("stages:\n  a: {grid: {optimizer: [sgd]}}\n  b: {grid: "
                           "{lr: [0.1]}}\n"),
                "s.yaml:6:3: optimizer: the parameter is missing in stage b; give one of sgd, "
                "nesterov, adagrad, rmsprop, adam, adamw"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Selection, RefusedStages,
    testing::Values(
        Refusal{
            "WithoutStages", of_own("best: {count: 1, of: a, by: loss}\n"),
            "s.yaml:3:1: best: unknown key; use one of study, task, trainer, parameters, seeds, "
            "early_stopping, grid, cases, zip, when, exclude, stages, report, keep, keep_count, "
            "on_end, on_failure"},
        Refusal{"UnknownStage", second_stage("best: {of: aa, by: loss}"),
                "s.yaml:6:16: of: there is no stage \"aa\"; did you mean \"a\"?"},
        Refusal{"Itself", second_stage("best: {of: b, by: loss}"),
                "s.yaml:6:16: of: a stage can't select from itself; use one of a"},
        Refusal{"LaterStage",
                of_own("stages:\n  a: {best: {of: b, by: loss}}\n  b: {grid: {x: [1, 2]}}\n"),
                "s.yaml:4:18: of: stage b stands after this one; move it up, or give a stage that "
                "stands before this one; there is none yet"},
        Refusal{
            "NothingSaid", second_stage("best: {}"),
            "s.yaml:6:11: best: the key of is missing; give the earlier stage\n"
            "s.yaml:6:11: best: the key by is missing; give the metric that ranks its cells, as "
            "the mean over their seeds"},
        Refusal{"CountOfZero", second_stage("best: {count: 0, of: a, by: loss}"),
                "s.yaml:6:19: count: 0 is out of range; give an integer of at least 1"},
        Refusal{"MoreThanThereAre", second_stage("best: {count: 3, of: a, by: loss}"),
                "s.yaml:6:19: count: 3 is more than the 2 cells of stage a; give at most that"},
        Refusal{"TakesWhatIsNotSwept", second_stage("best: {of: a, by: loss, take: [x, zz]}"),
                "s.yaml:6:39: take: \"zz\" is not swept in stage a; use one of x, y"},
        Refusal{"TakesTwice", second_stage("best: {of: a, by: loss, take: [x, x]}"),
                "s.yaml:6:39: take: \"x\" stands twice in the list; remove one"},
        Refusal{"TakesNothing", second_stage("best: {of: a, by: loss, take: []}"),
                "s.yaml:6:35: take: an empty list takes nothing; give names of parameters, for "
                "example [lr], or remove the key to take all"},
        Refusal{
            "TakenAndSwept", second_stage("{best: {of: a, by: loss}, grid: {y: [4, 5]}}"),
            "s.yaml:6:38: y: it is taken from stage a too; remove it here, or list in take what "
            "else is to be taken"},
        Refusal{
            "TakenAndFixed", second_stage("{best: {of: a, by: loss}, parameters: {x: 1}}"),
            "s.yaml:6:44: x: it is taken from stage a too; remove it here, or list in take what "
            "else is to be taken"},
        Refusal{"UnknownMetric",
                of_cifar10("stages:\n  a: {grid: {optimizer: [sgd, adam]}}\n"
                           "  b: {best: {of: a, by: trainloss}}\n"),
                "s.yaml:6:25: by: \"trainloss\" is no metric of task cifar10; did you mean "
                "\"train_loss\"? It is one of train_loss, train_top1_error, "
                "train_top5_error, val_loss, val_top1_error, val_top5_error, learning_rate, "
                "test_loss, test_top1_error, test_top5_error"}),
    refusal_name);

}  // namespace
}  // namespace windrow::sweeps
