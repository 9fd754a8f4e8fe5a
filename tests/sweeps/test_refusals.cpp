// What a study file is refused for at its top level, in its parameters and in its report.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/sweeps/refusal.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kCifar10Parameters =
    "model, depth, dropout, initialization, batch_norm_momentum, batch_norm_epsilon, optimizer, "
    "lr, momentum, alpha, beta1, beta2, epsilon, "
    "epsilon_in_root, initial_accumulator, weight_decay, decay, clip_norm, clip_value, schedule, "
    "plateau_metric, "
    "plateau_factor, plateau_patience, plateau_threshold, plateau_min_lr, flip, translate, rotate, "
    "zoom, batch, epochs, steps_per_epoch, shards, batch_norm, precision, validation_images, "
    "evaluation_batch";
constexpr const char* kStudyKeys =
    "study, task, trainer, parameters, seeds, early_stopping, grid, cases, zip, when, exclude, "
    "stages, report, keep, keep_count, on_end, on_failure";

// A study of task cifar10 in five lines; what follows begins in line 6.
std::string five_lines(const std::string& rest) {
  return "study: s\ntask: cifar10\nparameters:\n  model: cnn5x5\n  epochs: 3\n" + rest;
}
const std::string kOptimizers = "grid: {optimizer: [sgd, adam]}\n";

// A study of a program of one's own, in one line.
std::string one_line(const std::string& rest) {
  return "{study: s, trainer: {command: [x]}, " + rest + "}\n";
}

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithPlaceValueAndRemedy) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, Refused,
    testing::Values(
        Refusal{"Empty", "",
                "s.yaml:1:1: the study file is empty; see docs/study-file.md for its form"},
        Refusal{"OnlyComments", "# later\n",
                "s.yaml:1:1: the study file is empty; see docs/study-file.md for its form"},
        Refusal{"List", "- study: s\n",
                std::string("s.yaml:1:1: a list is no map; give one with keys of ") + kStudyKeys},
        Refusal{"Tab", "study: s\nparameters:\n\tlr: 1\n",
                "s.yaml:3:1: a tab indents this line; YAML wants spaces there"},
        Refusal{
            "Unclosed", "study: s\ngrid: {lr: [0.1, 0.2}\n",
            "s.yaml:2:21: this is not well-formed YAML: illegal flow end; look at this line and "
            "the one before for a missing bracket, quote or colon, or a wrong indentation"},
        Refusal{"TwoDocuments", "study: s\n---\nstudy: t\n",
                "s.yaml:2:1: a second document begins here; keep one study in a file"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    TopLevel, Refused,
    testing::Values(
        Refusal{
            "UnknownKey", five_lines("sedes: 3\n" + kOptimizers),
            std::string("s.yaml:6:1: sedes: unknown key; did you mean \"seeds\"? It is one of ") +
                kStudyKeys},
        Refusal{"DuplicateKey", five_lines("seeds: 2\nseeds: 3\n" + kOptimizers),
                "s.yaml:7:1: seeds: the key is given twice, first in line 6; remove one"},
        Refusal{"NoName", "task: cifar10\nparameters: {model: cnn5x5, epochs: 3, optimizer: sgd}\n",
                "s.yaml:1:1: study: the key is missing; give the study's name, by which the "
                "database knows it: letters, digits and . _ -"},
        Refusal{"BadName", "study: a/b\ntrainer: {command: [x]}\n",
                "s.yaml:1:8: study: \"a/b\" is no name; give up to 100 letters, digits and . _ -, "
                "beginning with a letter or digit"},
        Refusal{"HiddenName", "study: .a\ntrainer: {command: [x]}\n",
                "s.yaml:1:8: study: \".a\" is no name; give up to 100 letters, digits and . _ -, "
                "beginning with a letter or digit"},
        Refusal{"NameThatIsAList", "study: [a]\ntrainer: {command: [x]}\n",
                "s.yaml:1:8: study: a list is no string; give one"},
        Refusal{"NeitherTaskNorTrainer", "study: s\ngrid: {lr: [1]}\n",
                "s.yaml:1:1: task: the study has neither task nor trainer; give task: cifar10 or "
                "choice-sets, or trainer: {command: [python3, train.py]}"},
        Refusal{"TaskAndTrainer", five_lines(kOptimizers + "trainer: {command: [x]}\n"),
                "s.yaml:7:1: trainer: the study has a task too, in line 2; keep one of the two"},
        Refusal{
            "UnknownTask", "study: s\ntask: cifra10\nparameters: {anything: 1}\n",
            "s.yaml:2:7: task: there is no task \"cifra10\"; did you mean \"cifar10\"? It is one "
            "of cifar10, choice-sets"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Trainer, Refused,
    testing::Values(
        Refusal{"NoCommand", "study: s\ntrainer: {persistent: true}\n",
                "s.yaml:2:10: trainer: the key command is missing; give the program and its "
                "arguments"},
        Refusal{"CommandInOneString", "study: s\ntrainer: {command: python3 x.py}\n",
                "s.yaml:2:20: command: \"python3 x.py\" is no list; give the program and its "
                "arguments, for example [python3, train.py]"},
        Refusal{"EmptyCommand", "study: s\ntrainer: {command: []}\n",
                "s.yaml:2:20: command: the list is empty; give the program and its arguments, for "
                "example [python3, train.py]"},
        Refusal{"EmptyProgram", "study: s\ntrainer: {command: ['', x]}\n",
                "s.yaml:2:21: command: the program's name is empty; give one, for example python3"},
        Refusal{"NoBoolean", "study: s\ntrainer: {command: [x], persistent: no}\n",
                "s.yaml:2:37: persistent: \"no\" is no boolean; give true or false"},
        Refusal{"NoTimeToBeReady", "study: s\ntrainer: {command: [x], ready_seconds: 0}\n",
                "s.yaml:2:40: ready_seconds: 0 is out of range; give a number greater than 0"},
        Refusal{"NegativeLimit", "study: s\ntrainer: {command: [x], hang_seconds: -1}\n",
                "s.yaml:2:39: hang_seconds: -1 is out of range; give a number of at least 0"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Parameters, Refused,
    testing::Values(
        Refusal{
            "UnknownParameter", five_lines("  lrr: 1\n" + kOptimizers),
            std::string("s.yaml:6:3: lrr: is no parameter of task cifar10; did you mean \"lr\"? "
                        "It is one of ") +
                kCifar10Parameters},
        Refusal{"OutOfRange", five_lines("  dropout: 1.5\n" + kOptimizers),
                "s.yaml:6:12: dropout: 1.5 is out of range; give a number of at least 0 and less "
                "than 1"},
        Refusal{
            "ZeroEpochs",
            "study: s\ntask: cifar10\nparameters:\n  model: cnn5x5\n  epochs: 0\n" + kOptimizers,
            "s.yaml:5:11: epochs: 0 is out of range; give an integer of at least 1"},
        Refusal{"WrongType", five_lines("  lr: fast\n" + kOptimizers),
                "s.yaml:6:7: lr: \"fast\" is a string; give a number greater than 0"},
        Refusal{"WrongChoice", five_lines("  optimizer: adma\n"),
                "s.yaml:6:14: optimizer: \"adma\" is not allowed; did you mean \"adam\"? It is one "
                "of sgd, nesterov, adagrad, rmsprop, adam, adamw"},
        Refusal{"DepthOfNoResnet",
                "study: s\ntask: cifar10\nparameters: {model: resnet, epochs: 3, optimizer: sgd}\n"
                "grid: {depth: [20, 22]}\n",
                "s.yaml:4:20: depth: 22 is not of the form 6n + 2; the nearest are 20 or 26"},
        Refusal{"NotANumber", five_lines("  lr: .nan\n" + kOptimizers),
                "s.yaml:6:7: lr: .nan is no finite number; give a finite one"},
        Refusal{"Infinite", five_lines("  lr: .inf\n" + kOptimizers),
                "s.yaml:6:7: lr: .inf is no finite number; give a finite one"},
        Refusal{"List", five_lines("  lr: [0.1]\n" + kOptimizers),
                "s.yaml:6:7: lr: a list is no single value; a parameter has one value; several go "
                "into grid or cases, and a list that is one value is written as text that your "
                "program takes apart, for example \"64,64\""},
        Refusal{"Duplicate", five_lines("  lr: 1\n  lr: 2\n" + kOptimizers),
                "s.yaml:7:3: lr: the key is given twice, first in line 6; remove one"},
        Refusal{"Missing", "study: s\ntask: cifar10\nparameters: {optimizer: sgd}\n",
                "s.yaml:3:1: model: the parameter is missing; give one of cnn5x5, "
                "cnn3, resnet9, resnet\n"
                "s.yaml:3:1: epochs: the parameter is missing; give an integer of at least 1"},
        Refusal{"NoMap", "study: s\ntrainer: {command: [x]}\nparameters: 5\n",
                "s.yaml:3:13: parameters: 5 is no map; give parameters with values, for example "
                "{lr: 0.1}"},
        Refusal{"BadNameForAProgram", one_line("parameters: {learning rate: 1}"),
                "s.yaml:1:50: learning rate: is no name for a parameter; give letters, "
                "digits and _ . -, beginning with a letter or _"},
        Refusal{"SeedsAsParameter", one_line("parameters: {seeds: 1}"),
                "s.yaml:1:50: seeds: seeds are no parameter; give the key at the top of the file"},
        Refusal{
            "NoValueForAProgram", one_line("parameters: {lr: }"),
            "s.yaml:1:54: lr: has no value; give a number, a string, true, false or null (which "
            "leaves the option out)"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Seeds, Refused,
    testing::Values(
        Refusal{"Zero", one_line("seeds: 0"),
                "s.yaml:1:44: seeds: 0 is out of range; give an integer from 1 to 1000000"},
        Refusal{"HugeCount", one_line("seeds: 1000001"),
                "s.yaml:1:44: seeds: 1000001 is out of range; give an integer from 1 to 1000000"},
        Refusal{"Negative", one_line("seeds: [0, -1]"),
                "s.yaml:1:48: seeds: -1 is out of range; give an integer from 0 to 4294967295"},
        Refusal{"Huge", one_line("seeds: [4294967296]"),
                "s.yaml:1:45: seeds: 4294967296 is out of range; give an integer from 0 to "
                "4294967295"},
        Refusal{"BeyondAnyInteger", one_line("seeds: [99999999999999999999]"),
                "s.yaml:1:45: seeds: 99999999999999999999 doesn't fit a 64-bit integer; give a "
                "smaller number, or quote it if it is a string"},
        Refusal{"Duplicate", one_line("seeds: [1, 2, 1]"),
                "s.yaml:1:51: seeds: 1 stands twice in the list; remove one"},
        Refusal{"EmptyList", one_line("seeds: []"),
                "s.yaml:1:44: seeds: the list is empty; give a count such as 3, or a list such as "
                "[0, 1, 2]"},
        Refusal{"Map", one_line("seeds: {a: 1}"),
                "s.yaml:1:44: seeds: a map is neither count nor list; give a count such as 3, or a "
                "list such as [0, 1, 2]"},
        Refusal{"Fraction", one_line("seeds: 1.5"),
                "s.yaml:1:44: seeds: 1.5 is no integer; give an integer from 1 to 1000000"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    EarlyStopping, Refused,
    testing::Values(
        Refusal{"NoMetric", one_line("early_stopping: {patience: 3}"),
                "s.yaml:1:53: early_stopping: the key metric is missing; give the metric that is "
                "watched, once an epoch"},
        Refusal{"UnknownMetric", five_lines(kOptimizers + "early_stopping: {metric: valloss}\n"),
                "s.yaml:7:26: metric: \"valloss\" is no metric that task cifar10 reports each "
                "epoch; did you mean \"val_loss\"? It is one of train_loss, train_top1_error, "
                "train_top5_error, val_loss, val_top1_error, val_top5_error, learning_rate"},
        Refusal{
            "UnknownKey", one_line("early_stopping: {metric: x, patients: 3}"),
            "s.yaml:1:65: patients: unknown key; did you mean \"patience\"? It is one of metric, "
            "goal, patience, min_delta, restore_best"},
        Refusal{"BadGoal", one_line("early_stopping: {metric: x, goal: minimum}"),
                "s.yaml:1:71: goal: \"minimum\" is not allowed; give min or max"},
        Refusal{"NoPatience", one_line("early_stopping: {metric: x, patience: 0}"),
                "s.yaml:1:75: patience: 0 is out of range; give an integer from 1 to 1000000000"},
        Refusal{"NegativeDelta", one_line("early_stopping: {metric: x, min_delta: -0.1}"),
                "s.yaml:1:76: min_delta: -0.1 is out of range; give a number of at least 0"},
        Refusal{"NoMap", one_line("early_stopping: 5"),
                "s.yaml:1:53: early_stopping: 5 is no map; give one with keys of metric, goal, "
                "patience, min_delta, restore_best"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Report, Refused,
    testing::Values(
        Refusal{"UnknownColumn", five_lines(kOptimizers + "report: {columns: [lr, val_los]}\n"),
                std::string("s.yaml:7:24: val_los: is no parameter or metric of the task and no "
                            "column of the view trials; did you mean \"val_loss\"? It is one of ") +
                    kCifar10Parameters +
                    ", train_loss, train_top1_error, train_top5_error, val_loss, val_top1_error, "
                    "val_top5_error, learning_rate, test_loss, test_top1_error, test_top5_error, "
                    "parameters, trial, "
                    "study, stages, cell, seed, state, attempts, epochs, wall_seconds, failure, "
                    "host, device"},
        Refusal{"ColumnTwice", one_line("report: {columns: [lr, {key: lr, label: Rate}]}"),
                "s.yaml:1:66: lr: the column is given twice; remove one"},
        Refusal{"ColumnOfNoEpochs", one_line("report: {columns: [{key: lr, last_epochs: 0}]}"),
                "s.yaml:1:79: last_epochs: 0 is out of range; give an integer of at least 1"},
        Refusal{"ColumnWithoutKey", one_line("report: {columns: [{label: Rate}]}"),
                "s.yaml:1:56: columns: the key key is missing; give a parameter, a metric or a "
                "column of the view `trials`"},
        Refusal{
            "NoColumns", one_line("report: {columns: []}"),
            "s.yaml:1:55: columns: it is empty; give a list such as [lr, {key: val_loss, label: "
            "Loss}], or a map such as {lr: Rate}, or remove the key"},
        Refusal{"OneColumn", one_line("report: {columns: lr}"),
                "s.yaml:1:55: columns: \"lr\" is no list; give a list such as [lr, {key: val_loss, "
                "label: Loss}], or a map such as {lr: Rate}"},
        Refusal{
            "SortedByNoColumn", one_line("report: {columns: [lr, loss], sort_by: los}"),
            "s.yaml:1:76: sort_by: \"los\" is none of the columns; did you mean \"loss\"? It is "
            "one of lr, loss"}),
    refusal_name);

TEST(Refusals, AreSaidAllAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(
      error_of("study: s\n"
               "report: {sort_by: [x]}\n"
               "task: cifar10\n"
               "parameters: {model: cnn5x5, epochs: 0, dropout: 1.5}\n"
               "seeds: -1\n"
               "gird: {}\n"
               "grid: {optimizer: []}\n"),
      std::string("s.yaml:2:19: sort_by: a list is no string; give one\n"
                  "s.yaml:4:37: epochs: 0 is out of range; give an integer of at least 1\n"
                  "s.yaml:4:49: dropout: 1.5 is out of range; give a number of at least 0 and "
                  "less than 1\n"
                  "s.yaml:5:8: seeds: -1 is out of range; give an integer from 1 to 1000000\n"
                  "s.yaml:6:1: gird: unknown key; did you mean \"grid\"? It is one of ") +
          kStudyKeys +
          "\ns.yaml:7:19: optimizer: its list of values is empty; give at least one value");
}

class StudyFile : public testing::Test {
 protected:
  StudyFile() { std::filesystem::create_directories(folder_); }
  ~StudyFile() override { std::filesystem::remove_all(folder_); }
  std::string load_error(const std::string& name) {
    try {
      load_study(folder_ / name);
    } catch (const StudyError& error) {
      return error.what();
    }
    return "";
  }
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("windrow-") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       std::to_string(getpid()));
};

TEST_F(StudyFile, IsLoadedAndNamedInErrors) {
  std::ofstream(folder_ / "good.yaml") << "study: s\ntrainer: {command: [x]}\n";
  EXPECT_EQ(load_study(folder_ / "good.yaml").name, "s");
  std::ofstream(folder_ / "bad.yaml") << "study: s\n";
  EXPECT_THAT(load_error("bad.yaml"),
              testing::StartsWith((folder_ / "bad.yaml").string() + ":1:1: task: "));
}

TEST_F(StudyFile, ThatIsMissingIsRefused) {
  EXPECT_EQ(load_error("none.yaml"),
            (folder_ / "none.yaml").string() +
                ": can't be read: No such file or directory; give the path of a study file");
}

TEST_F(StudyFile, ThatIsAFolderIsRefused) {
  EXPECT_EQ(load_error("."),
            (folder_ / ".").string() + ": is a folder; give the path of a study file");
}

}  // namespace
}  // namespace windrow::sweeps
