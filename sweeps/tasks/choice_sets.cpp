// Task choice-sets: which item of a set is chosen (study P3 of docs/studies).
#include "sweeps/tasks/registry.h"

namespace windrow::sweeps {

namespace {

// Of the training sets alone: all trials of a study evaluate alike. Each weight meets every item,
// or once the pooled ones.
double choice_sets_epoch_work(const Json& parameters) {
  const auto number = [&](const char* key, double unknown) {
    const Json& value = parameters.at(key);
    return value.is_number() ? value.get<double>() : unknown;
  };
  const double depth = number("depth", 0), width = number("width", 0);
  const double items = number("items", 5), features = number("features", 3);
  const double weights =
      depth == 1 ? features : features * width + (depth - 2) * width * width + width;
  return 3 * number("train_sets", 0) * weights * (items + 1);
}

}  // namespace

TaskSpec choice_sets_task() {
  using enum ParameterType;
  TaskSpec task;
  task.name = "choice-sets";
  task.help =
      "Regression of one-hot choices on sets of items, generated or from files, "
      "permutation-equivariant";
  task.parameters = {
      {.name = "model",
       .type = string,
       .help = "the network: setnet is layers x·Λ + pool(x)·Γ + bias with ReLU between them",
       .default_value = "setnet",
       .choices = {"setnet"}},
      {.name = "depth",
       .type = integer,
       .help = "equivariant layers; the last has a single output per item",
       .minimum = 1,
       .maximum = 1000},
      {.name = "width",
       .type = integer,
       .help = "outputs per item of each layer but the last",
       .minimum = 1,
       .maximum = 65536},
      {.name = "pool",
       .type = string,
       .help = "how a layer pools over the items of a set",
       .default_value = "mean",
       .choices = {"mean", "sum", "max"}},
      {.name = "lr",
       .help = "learning rate of Adam, constant",
       .default_value = 1e-4,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "epsilon",
       .help = "Adam's epsilon, added to the root of the squares (PyTorch: 1e-8, Keras: 1e-7)",
       .default_value = 1e-3,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "beta1",
       .help = "decay of Adam's mean of gradients (PyTorch and Keras: 0.9)",
       .default_value = 0.9,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "beta2",
       .help = "decay of Adam's mean of squared gradients (PyTorch and Keras: 0.999)",
       .default_value = 0.999,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "batch",
       .type = integer,
       .help = "sets in a minibatch",
       .default_value = 300,
       .minimum = 1,
       .maximum = kIntegerMaximum},
      shards_parameter("sets"),
      precision_parameter({"float32", "tf32"}),
      {.name = "epochs",
       .type = integer,
       .help = "epochs to train at most; early stopping may end a trial before",
       .default_value = 100,
       .minimum = 1,
       .maximum = kIntegerMaximum},
      {.name = "validation_split",
       .help = "share of the training sets that is held out for validation",
       .default_value = 0.1,
       .minimum = 0,
       .maximum = 1,
       .exclusive_minimum = true,
       .exclusive_maximum = true},
      {.name = "train_sets",
       .type = integer,
       .help = "sets generated for training and validation together; a file has its own number",
       .default_value = 200000,
       .minimum = 2,
       .maximum = kIntegerMaximum},
      {.name = "test_sets",
       .type = integer,
       .help = "sets generated for the test; a file has its own number",
       .default_value = 200000,
       .minimum = 1,
       .maximum = kIntegerMaximum},
      {.name = "items",
       .type = integer,
       .help = "items in a set; null: 5 where sets are generated, else as the file has it",
       .default_value = nullptr,
       .minimum = 2,
       .maximum = 65536},
      {.name = "features",
       .type = integer,
       .help = "features of an item; null: 3 where sets are generated (which takes at least 3, on "
               "which the choice depends), else as the file has it",
       .default_value = nullptr,
       .minimum = 1,
       .maximum = 65536},
      {.name = "train_file",
       .type = string,
       .help = "sets for training and validation, a .csv or .npy file; a relative path counts from "
               "the data folder; null: generated",
       .default_value = nullptr},
      {.name = "test_file",
       .type = string,
       .help = "sets for the test, likewise; named where train_file is",
       .default_value = nullptr},
      {.name = "train_choice_file",
       .type = string,
       .help = "the choices that belong to train_file where that is a .npy file, another .npy file",
       .default_value = nullptr},
      {.name = "test_choice_file",
       .type = string,
       .help = "the choices that belong to test_file, likewise",
       .default_value = nullptr},
      {.name = "data_seed",
       .type = integer,
       .help =
           "seed of the generator, apart from the trial's: the same for all trials, so that they "
           "learn from the same sets",
       .default_value = 0,
       .minimum = 0,
       .maximum = kIntegerMaximum},
  };
  task.metrics = {
      {"train_mse",
       "mean squared error over the epoch's minibatches, while training; in the result, over the "
       "training sets with the result's weights"},
      {"val_mse", "mean squared error over the validation sets, with the epoch's weights"},
  };
  task.result_metrics = {
      {"test_mse", "mean squared error over the test sets, with the result's weights"},
      {"best_epoch", "the epoch whose weights the result is of, from 1"},
  };
  task.facts = {{"parameters", "trainable parameters of the network"}};
  task.epoch_work = choice_sets_epoch_work;
  return task;
}

}  // namespace windrow::sweeps
