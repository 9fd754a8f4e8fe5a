#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;

// The faults as "key: message".
std::vector<std::string> faults_of(const TaskSpec& task, const Json& given) {
  std::vector<ParameterFault> faults;
  complete_parameters(task, given, faults);
  std::vector<std::string> lines;
  for (const ParameterFault& fault : faults) lines.push_back(fault.key + ": " + fault.message);
  return lines;
}

// A task with what the shipped ones don't have yet: parameters of one model, booleans, free
// strings.
TaskSpec two_models() {
  return {.name = "toy",
          .help = "",
          .parameters = {{.name = "model",
                          .type = ParameterType::string,
                          .default_value = "cnn",
                          .choices = {"cnn", "resnet"}},
                         {.name = "depth",
                          .type = ParameterType::integer,
                          .minimum = 2,
                          .maximum = 8,
                          .models = {"resnet"}},
                         {.name = "skip",
                          .type = ParameterType::boolean,
                          .default_value = true,
                          .models = {"resnet"}},
                         {.name = "note", .type = ParameterType::string, .default_value = ""}},
          .metrics = {}};
}

const Json kCifar10 = {{"model", "cnn5x5"}, {"optimizer", "adam"}, {"epochs", 3}};

TEST(Tasks, AreFoundByName) {
  EXPECT_THAT(task_names(), ElementsAre("cifar10", "choice-sets"));
  for (const std::string& name : task_names()) {
    ASSERT_NE(find_task(name), nullptr);
    EXPECT_EQ(find_task(name)->name, name);
  }
  EXPECT_EQ(find_task("cifar100"), nullptr);
}

TEST(Tasks, NameTheirModelsAndMetrics) {
  EXPECT_THAT(find_task("cifar10")->models(), ElementsAre("cnn5x5", "cnn3", "resnet9", "resnet"));
  EXPECT_THAT(find_task("cifar10")->metric_names(),
              ElementsAre("train_loss", "train_top1_error", "train_top5_error", "val_loss",
                          "val_top1_error", "val_top5_error", "learning_rate", "test_loss",
                          "test_top1_error", "test_top5_error"));
  EXPECT_THAT(find_task("choice-sets")->metric_names(),
              ElementsAre("train_mse", "val_mse", "test_mse", "best_epoch"));
}

TEST(Tasks, EveryDefaultIsAllowedAndInNormalForm) {
  for (const std::string& name : task_names())
    for (const ParameterSpec& spec : find_task(name)->parameters) {
      EXPECT_FALSE(spec.help.empty()) << name << " " << spec.name;
      if (!spec.default_value) continue;
      std::vector<ParameterFault> faults;
      const Json normal = check_value(*find_task(name), spec.name, *spec.default_value, faults);
      EXPECT_TRUE(faults.empty()) << name << " " << spec.name;
      EXPECT_EQ(normal.type(), spec.default_value->type()) << name << " " << spec.name;
    }
}

TEST(CompleteParameters, FillsInDefaultsOfCifar10) {
  const Json expected = {{"model", "cnn5x5"},
                         {"optimizer", "adam"},
                         {"lr", 0.001},
                         {"momentum", 0.9},
                         {"alpha", 0.99},
                         {"beta1", 0.9},
                         {"beta2", 0.999},
                         {"epsilon", nullptr},
                         {"epsilon_in_root", false},
                         {"initial_accumulator", 0.1},
                         {"weight_decay", 0.0},
                         {"decay", "all"},
                         {"clip_norm", nullptr},
                         {"clip_value", nullptr},
                         {"schedule", "constant"},
                         {"plateau_metric", "val_loss"},
                         {"plateau_factor", 0.1},
                         {"plateau_patience", 10},
                         {"plateau_threshold", 1e-4},
                         {"plateau_min_lr", 0.0},
                         {"flip", false},
                         {"translate", 0},
                         {"rotate", 0.0},
                         {"zoom", 0.0},
                         {"dropout", 0.0},
                         {"initialization", "own"},
                         {"batch", 128},
                         {"epochs", 3},
                         {"steps_per_epoch", 0},
                         {"shards", 1},
                         {"batch_norm", "shard"},
                         {"precision", "float32"},
                         {"validation_images", 0},
                         {"evaluation_batch", 1000}};
  EXPECT_EQ(complete_parameters(*find_task("cifar10"), kCifar10), expected);
}

TEST(CompleteParameters, FillsInDefaultsOfChoiceSets) {
  const Json expected = {{"model", "setnet"},
                         {"depth", 3},
                         {"width", 10},
                         {"pool", "mean"},
                         {"lr", 1e-4},
                         {"epsilon", 1e-3},
                         {"beta1", 0.9},
                         {"beta2", 0.999},
                         {"batch", 300},
                         {"shards", 1},
                         {"precision", "float32"},
                         {"epochs", 100},
                         {"items", nullptr},
                         {"features", nullptr},
                         {"train_file", nullptr},
                         {"test_file", nullptr},
                         {"train_choice_file", nullptr},
                         {"test_choice_file", nullptr},
                         {"validation_split", 0.1},
                         {"train_sets", 200000},
                         {"test_sets", 200000},
                         {"data_seed", 0}};
  EXPECT_EQ(complete_parameters(*find_task("choice-sets"), {{"depth", 3}, {"width", 10}}),
            expected);
}

TEST(CompleteParameters, NormalizesNumbersToTheirParametersType) {
  Json given = kCifar10;
  given["lr"] = 1;
  given["batch"] = 64.0;
  const Json complete = complete_parameters(*find_task("cifar10"), given);
  EXPECT_TRUE(complete["lr"].is_number_float());
  EXPECT_TRUE(complete["batch"].is_number_integer());
  EXPECT_EQ(complete["batch"], 64);
}

TEST(CompleteParameters, ReportsEveryFaultAtOnce) {
  EXPECT_THAT(
      faults_of(*find_task("cifar10"),
                {{"model", "cnn5x6"}, {"optimizer", 5}, {"dropout", 1.5}, {"lrr", 0.1}}),
      ElementsAre(
          "model: \"cnn5x6\" is not allowed; did you mean \"cnn5x5\"? It is one of cnn5x5, "
          "cnn3, resnet9, resnet",
          "dropout: 1.5 is out of range; give a number of at least 0 and less than 1",
          "optimizer: 5 is an integer; give one of sgd, nesterov, adagrad, rmsprop, adam, "
          "adamw",
          "epochs: is missing; give an integer of at least 1",
          "lrr: is no parameter of task cifar10; did you mean \"lr\"? It is one of model, "
          "depth, dropout, initialization, batch_norm_momentum, batch_norm_epsilon, optimizer, lr, "
          "momentum, alpha, beta1, beta2, epsilon, "
          "epsilon_in_root, initial_accumulator, weight_decay, decay, clip_norm, clip_value, "
          "schedule, plateau_metric, plateau_factor, plateau_patience, plateau_threshold, "
          "plateau_min_lr, flip, translate, rotate, zoom, batch, epochs, "
          "steps_per_epoch, shards, batch_norm, precision, validation_images, evaluation_batch"));
}

TEST(CompleteParameters, ThrowsALineForEachFault) {
  try {
    complete_parameters(*find_task("choice-sets"), {{"depth", 0}});
    FAIL();
  } catch (const ParameterError& error) {
    EXPECT_STREQ(error.what(),
                 "depth: 0 is out of range; give an integer of at least 1 and at most 1000\n"
                 "width: is missing; give an integer of at least 1 and at most 65536");
  }
}

TEST(CompleteParameters, BoundsAreInclusiveOrExclusiveAsTheTableSays) {
  const TaskSpec& task = *find_task("cifar10");
  const auto is_allowed = [&](const char* key, Json value) {
    std::vector<ParameterFault> faults;
    check_value(task, key, value, faults);
    return faults.empty();
  };
  EXPECT_TRUE(is_allowed("dropout", 0));
  EXPECT_FALSE(is_allowed("dropout", 1));
  EXPECT_FALSE(is_allowed("lr", 0));
  EXPECT_TRUE(is_allowed("lr", 1e-300));
  EXPECT_TRUE(is_allowed("batch", 50000));
  EXPECT_FALSE(is_allowed("batch", 50001));
  EXPECT_FALSE(is_allowed("lr", std::nan("")));
  EXPECT_FALSE(is_allowed("weight_decay", HUGE_VAL));
  EXPECT_FALSE(is_allowed("epochs", 1.5));
  EXPECT_FALSE(is_allowed("epochs", 2147483648));
}

TEST(CompleteParameters, NullIsAllowedOnlyWhereItIsTheDefault) {
  Json given = kCifar10;
  given["epsilon"] = nullptr;
  EXPECT_TRUE(faults_of(*find_task("cifar10"), given).empty());
  given["lr"] = nullptr;
  EXPECT_THAT(faults_of(*find_task("cifar10"), given),
              ElementsAre("lr: has no value; give a number greater than 0"));
  given["lr"] = 1;
  given["epsilon"] = "small";
  EXPECT_THAT(faults_of(*find_task("cifar10"), given),
              ElementsAre("epsilon: \"small\" is a string; give a number greater than 0, or null"));
}

TEST(CompleteParameters, AModelsOwnParametersBelongToThatModelOnly) {
  const TaskSpec task = two_models();
  EXPECT_EQ(complete_parameters(task, Json::object()), Json({{"model", "cnn"}, {"note", ""}}));
  EXPECT_EQ(complete_parameters(task, {{"model", "resnet"}, {"depth", 4}}),
            Json({{"model", "resnet"}, {"depth", 4}, {"skip", true}, {"note", ""}}));
  EXPECT_THAT(faults_of(task, {{"model", "resnet"}}),
              ElementsAre("depth: is missing; give an integer of at least 2 and at most 8"));
  EXPECT_THAT(faults_of(task, {{"depth", 4}}),
              ElementsAre("depth: 4: the parameter doesn't apply to model cnn, only to resnet; "
                          "remove it"));
  EXPECT_TRUE(faults_of(task, {{"skip", true}}).empty()) << "its default changes nothing";
}

TEST(CompleteParameters, BooleansAndStringsAreOfTheirType) {
  EXPECT_THAT(
      faults_of(two_models(), {{"model", "resnet"}, {"depth", 4}, {"skip", "yes"}, {"note", 5}}),
      ElementsAre("skip: \"yes\" is a string; give true or false",
                  "note: 5 is an integer; give a string"));
}

TEST(CompleteParameters, TheDepthOfAResnetIs6nPlus2) {
  const TaskSpec& task = *find_task("cifar10");
  const auto faults = [&](int depth) {
    return faults_of(task,
                     {{"model", "resnet"}, {"optimizer", "adam"}, {"epochs", 3}, {"depth", depth}});
  };
  for (const int depth : {8, 20, 32, 110, 1202}) EXPECT_THAT(faults(depth), ElementsAre()) << depth;
  EXPECT_THAT(faults(21),
              ElementsAre("depth: 21 is not of the form 6n + 2; the nearest are 20 or 26"));
  EXPECT_THAT(faults(1201),
              ElementsAre("depth: 1201 is not of the form 6n + 2; the nearest are 1196 or 1202"));
  EXPECT_THAT(faults(7),
              ElementsAre("depth: 7 is out of range; give an integer of at least 8 and at "
                          "most 1202, of the form 6n + 2"));
  const Json complete =
      complete_parameters(task, {{"model", "resnet"}, {"optimizer", "adam"}, {"epochs", 3}});
  EXPECT_EQ(complete["depth"], 20);
}

TEST(IdentityParameters, AreThoseThatDifferFromTheirDefaults) {
  const TaskSpec& task = *find_task("cifar10");
  Json given = kCifar10;
  given["lr"] = 0.001;
  given["batch"] = 64;
  EXPECT_EQ(identity_parameters(task, complete_parameters(task, given)),
            Json({{"model", "cnn5x5"}, {"optimizer", "adam"}, {"epochs", 3}, {"batch", 64}}));
}

TEST(DefaultEpsilon, IsTheDocumentedOneOfEachOptimizer) {
  EXPECT_EQ(default_epsilon("adam"), 1e-8);
  EXPECT_EQ(default_epsilon("adamw"), 1e-8);
  EXPECT_EQ(default_epsilon("rmsprop"), 1e-8);
  EXPECT_EQ(default_epsilon("adagrad"), 1e-7);
  EXPECT_EQ(default_epsilon("sgd"), 0);
}

// The longest trials are to begin first, before anything was measured.
TEST(DeclaredCost, FollowsTheModelTheEpochsAndTheImages) {
  const auto cost = [](Json given) {
    given["optimizer"] = "adam";
    if (!given.contains("epochs")) given["epochs"] = 1;
    return declared_cost("cifar10", complete_parameters(*find_task("cifar10"), given));
  };
  EXPECT_GT(cost({{"model", "resnet9"}}), 5 * cost({{"model", "resnet"}}));
  EXPECT_GT(cost({{"model", "resnet"}, {"depth", 32}}), 1.5 * cost({{"model", "resnet"}}));
  EXPECT_DOUBLE_EQ(cost({{"model", "cnn3"}, {"epochs", 7}}), 7 * cost({{"model", "cnn3"}}));
  // 50 steps of 128 images, each thrice, and 10,000 test images.
  EXPECT_DOUBLE_EQ(cost({{"model", "cnn5x5"}, {"steps_per_epoch", 50}}),
                   30.7e6 * (3 * 6400 + 10000));
}

TEST(DeclaredCost, OfSetNetworksFollowsTheirWeights) {
  const auto cost = [](int depth, int width) {
    return declared_cost("choice-sets", complete_parameters(*find_task("choice-sets"),
                                                            {{"depth", depth}, {"width", width}}));
  };
  EXPECT_GT(cost(3, 200), 3 * cost(3, 100));
  EXPECT_GT(cost(3, 10), cost(2, 10));
  EXPECT_GT(cost(2, 10), cost(1, 10));
}

TEST(DeclaredCost, OfAProgramOfTheUsersOwnIsItsEpochs) {
  EXPECT_EQ(declared_cost("", {{"epochs", 30}, {"x", 1}}), 30);
  EXPECT_EQ(declared_cost("", {{"x", 1}}), 1);
}

}  // namespace
}  // namespace windrow::sweeps
