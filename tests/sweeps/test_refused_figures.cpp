// What a study file is refused for in the figures of its report.
#include <gtest/gtest.h>

#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

// The figure begins in line 4, column 7.
std::string with_figure(const std::string& figure) {
  return "{study: s, task: cifar10, parameters: {model: cnn5x5, epochs: 3},\n"
         "grid: {optimizer: [sgd, adam]},\n"
         "report: {figures: [\n"
         "      {" +
         figure + "}]}}\n";
}

class RefusedFigure : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedFigure, WithPlaceValueAndRemedy) {
  const std::string error = error_of(GetParam().text);
  EXPECT_TRUE(error.starts_with(GetParam().error)) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Figures, RefusedFigure,
    testing::Values(
        Refusal{"NoList", "{study: s, trainer: {command: [x]}, report: {figures: all}}",
                "s.yaml:1:55: figures: \"all\" is no list; give a list such as [{kind: curves, "
                "metric: loss}"},
        Refusal{"NoKind", with_figure("metric: val_loss"),
                "s.yaml:4:7: figures: the key kind is missing; give curves, confusion, "
                "class-accuracy or scatter"},
        Refusal{"UnknownKind", with_figure("kind: curve, metric: val_loss"),
                "s.yaml:4:14: kind: \"curve\" is no kind of figure; did you mean \"curves\"?"},
        Refusal{"UnknownKey", with_figure("kind: curves, metric: val_loss, log: true"),
                "s.yaml:4:40: log: unknown key; did you mean \"log_x\"?"},
        Refusal{"KeyOfAnotherKind", with_figure("kind: confusion, metric: val_loss"),
                "s.yaml:4:25: metric: a figure of kind confusion has no such key; remove it"},
        Refusal{"CurvesWithoutMetric", with_figure("kind: curves"),
                "s.yaml:4:7: figures: a figure of kind curves needs the key metric; give it"},
        Refusal{"ScatterWithoutY", with_figure("kind: scatter, x: parameters"),
                "s.yaml:4:7: figures: a figure of kind scatter needs the key y; give it"},
        Refusal{"UnknownMetric", with_figure("kind: curves, metric: [val_loss, trian_loss]"),
                "s.yaml:4:41: metric: \"trian_loss\" is not a metric of the task's epochs; did you "
                "mean \"train_loss\"?"},
        Refusal{"MetricTwice", with_figure("kind: curves, metric: [val_loss, val_loss]"),
                "s.yaml:4:41: metric: \"val_loss\" stands twice in the list; remove one"},
        Refusal{"EmptyList", with_figure("kind: curves, metric: []"),
                "s.yaml:4:30: metric: the list is empty; give a name, or remove the key"},
        Refusal{"UnknownGroup", with_figure("kind: curves, metric: val_loss, by: optimiser"),
                "s.yaml:4:44: by: \"optimiser\" is not a parameter of the task, nor seed; did you "
                "mean \"optimizer\"?"},
        Refusal{"UnknownAxis", with_figure("kind: scatter, x: paramters, y: val_loss"),
                "s.yaml:4:26: x: \"paramters\" is not a parameter, a metric or a number of the "
                "view trials; did you mean \"parameters\"?"},
        Refusal{"UnknownStage", with_figure("kind: confusion, stage: mian"),
                "s.yaml:4:32: stage: there is no stage \"mian\"; did you mean \"main\"?"},
        Refusal{"UnknownParameter", with_figure("kind: confusion, where: {modle: cnn5x5}"),
                "s.yaml:4:33: modle: is no parameter of task cifar10; did you mean \"model\"?"},
        Refusal{"ValueOfAnotherType", with_figure("kind: confusion, where: {dropout: high}"),
                "s.yaml:4:42: dropout: \"high\" is a string; give a number"},
        Refusal{"NameTwice", with_figure("kind: confusion, name: a}, {kind: confusion, name: a"),
                "s.yaml:4:59: name: \"a\" is the name of an earlier figure; give another"},
        Refusal{"NameThatIsAPath", with_figure("kind: confusion, name: ../a"),
                "s.yaml:4:31: name: \"../a\" is no name;"}),
    refusal_name);

}  // namespace
}  // namespace windrow::sweeps
