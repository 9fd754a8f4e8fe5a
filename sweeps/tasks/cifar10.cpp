// Task cifar10: classify the images of CIFAR-10 (studies P1 and P2 of docs/studies.md).
//
// The optimizers' constants are stated here because libraries differ: RMSProp's alpha (Keras: rho)
// is 0.99 in PyTorch and 0.9 in Keras; AdaGrad's accumulator starts at 0 in PyTorch and at 0.1 in
// Keras; epsilon is 1e-8 (adagrad: 1e-10) in PyTorch and 1e-7 in Keras; AdamW's weight decay is
// 0.01 in PyTorch and 0.004 in Keras.
#include <algorithm>
#include <iterator>

#include "sweeps/tasks/registry.h"

namespace windrow::sweeps {

double default_epsilon(std::string_view optimizer) {
  if (optimizer == "adagrad") return 1e-7;
  if (optimizer == "rmsprop" || optimizer == "adam" || optimizer == "adamw") return 1e-8;
  return 0;
}

namespace {

using enum ParameterType;
using Parameters = std::vector<ParameterSpec>;

Parameters network_parameters() {
  const std::vector<std::string> normalised = {"cnn3", "resnet9", "resnet"};
  return {
      {.name = "model",
       .type = string,
       .help = "the network: cnn5x5 is three 5x5 convolutions (32, 64, 128) with ReLU and 2x2 "
               "max-pooling, then 1000 units with ReLU; cnn3 three blocks (32, 64, 128) of two 3x3 "
               "convolutions with batch normalisation, ReLU and 2x2 max-pooling, then 128 units; "
               "resnet9 a wide residual network of 9 layers (64 to 512); resnet the residual "
               "network of He et al. for CIFAR-10 (16, 32, 64)",
       .choices = {"cnn5x5", "cnn3", "resnet9", "resnet"}},
      {.name = "depth",
       .type = integer,
       .help = "layers of resnet: 6n + 2 for n residual blocks in each of its three stages",
       .default_value = 20,
       .minimum = 8,
       .maximum = 1202,
       .step = 6,
       .remainder = 2,
       .models = {"resnet"}},
      {.name = "dropout",
       .help = "share of activations dropped: after each pooling (cnn5x5, cnn3), between the "
               "convolutions of each residual block (resnet), before the last layer (resnet9)",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "initialization",
       .type = string,
       .help = "what weights begin with, uniform in ± a limit: glorot is √(6 / (inputs + outputs)) "
               "(Keras' default); he √(6 / inputs); pytorch 1 / √inputs, biases too (its default; "
               "elsewhere they are 0); own is he for convolutions that batch normalisation "
               "follows, else glorot",
       .default_value = "own",
       .choices = {"own", "glorot", "he", "pytorch"}},
      {.name = "batch_norm_momentum",
       .help = "share of a batch's statistics in the running ones, which evaluation uses (cnn3, "
               "resnet9, resnet); the default is PyTorch's, Keras' is 0.01 (there 0.99, the share "
               "that stays)",
       .default_value = 0.1,
       .minimum = 0,
       .maximum = 1,
       .exclusive_minimum = true,
       .models = normalised},
      {.name = "batch_norm_epsilon",
       .help = "added to a batch's variance (cnn3, resnet9, resnet); the default is PyTorch's, "
               "Keras' is 1e-3",
       .default_value = 1e-5,
       .minimum = 0,
       .exclusive_minimum = true,
       .models = normalised},
  };
}

Parameters optimizer_parameters() {
  return {
      {.name = "optimizer",
       .type = string,
       .help = "sgd; nesterov (SGD with Nesterov momentum); adagrad; rmsprop; adam; adamw (Adam "
               "with decoupled weight decay)",
       .choices = {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}},
      {.name = "lr",
       .help = "learning rate, the first one where it is scheduled",
       .default_value = 0.001,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "momentum",
       .help = "momentum of nesterov; the other optimizers don't use it",
       .default_value = 0.9,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "alpha",
       .help =
           "decay of rmsprop's mean square (Keras' rho); the default is PyTorch's, Keras' is 0.9",
       .default_value = 0.99,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "beta1",
       .help = "decay of adam's and adamw's mean of gradients (PyTorch and Keras: 0.9)",
       .default_value = 0.9,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "beta2",
       .help = "decay of adam's and adamw's mean of squared gradients (PyTorch and Keras: 0.999)",
       .default_value = 0.999,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "epsilon",
       .help = "added to the root of the squares; null is the optimizer's own: adam, adamw and "
               "rmsprop 1e-8 (PyTorch's; Keras': 1e-7), adagrad 1e-7 (Keras'; PyTorch's: 1e-10)",
       .default_value = nullptr,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "epsilon_in_root",
       .type = boolean,
       .help = "whether adagrad and rmsprop add epsilon inside the root, √(s + epsilon), as Keras "
               "does; the other optimizers don't use it",
       .default_value = false},
      {.name = "initial_accumulator",
       .help = "what adagrad's sum of squares begins with; the default is Keras', PyTorch's is 0",
       .default_value = 0.1,
       .minimum = 0},
  };
}

Parameters regularization_parameters() {
  return {
      {.name = "weight_decay",
       .help = "L2 penalty: this times the weight is added to its gradient; with adamw, lr times "
               "this share of the weight is taken off in each step (PyTorch's default: 0.01)",
       .default_value = 0.0,
       .minimum = 0},
      {.name = "decay",
       .type = string,
       .help = "what weight_decay acts on: all is every parameter; weights leaves out biases and "
               "batch normalisation",
       .default_value = "all",
       .choices = {"all", "weights"}},
      {.name = "clip_norm",
       .help = "the gradient is scaled down to this length (L2 norm over all parameters) where it "
               "is longer; null: not",
       .default_value = nullptr,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "clip_value",
       .help = "each element of the gradient is kept within ± this, before clip_norm; null: not",
       .default_value = nullptr,
       .minimum = 0,
       .exclusive_minimum = true},
  };
}

Parameters schedule_parameters(const std::vector<std::string>& metrics) {
  return {
      {.name = "schedule",
       .type = string,
       .help = "of the learning rate: constant; plateau (PyTorch's ReduceLROnPlateau) multiplies "
               "it by plateau_factor when plateau_metric has not improved for more than "
               "plateau_patience epochs in a row",
       .default_value = "constant",
       .choices = {"constant", "plateau"}},
      {.name = "plateau_metric",
       .type = string,
       .help = "the metric of the epochs that plateau watches; lower is better",
       .default_value = "val_loss",
       .choices = metrics},
      {.name = "plateau_factor",
       .help = "what plateau multiplies the learning rate by",
       .default_value = 0.1,
       .minimum = 0,
       .maximum = 1,
       .exclusive_minimum = true,
       .exclusive_maximum = true},
      {.name = "plateau_patience",
       .type = integer,
       .help = "epochs without an improvement that plateau bears with",
       .default_value = 10,
       .minimum = 0,
       .maximum = kIntegerMaximum},
      {.name = "plateau_threshold",
       .help = "share of the best value by which a better one must lie below it",
       .default_value = 0.0001,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "plateau_min_lr",
       .help = "plateau goes no lower",
       .default_value = 0.0,
       .minimum = 0},
  };
}

Parameters augmentation_parameters() {
  return {
      {.name = "flip",
       .type = boolean,
       .help = "whether training images are mirrored left to right with probability 1/2",
       .default_value = false},
      {.name = "translate",
       .type = integer,
       .help = "training images are moved by up to this many whole pixels along each axis; what "
               "comes in at a border is the image reflected at it",
       .default_value = 0,
       .minimum = 0,
       .maximum = 31},
      {.name = "rotate",
       .help = "training images are turned about their centre by up to this many degrees either "
               "way (bilinear; borders as with translate)",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 180},
      {.name = "zoom",
       .help = "training images are scaled by 1 ± up to this (bilinear; borders as with translate)",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 0.9},
  };
}

Parameters epoch_parameters() {
  return {
      {.name = "batch",
       .type = integer,
       .help = "images in a minibatch",
       .default_value = 128,
       .minimum = 1,
       .maximum = 50000},
      {.name = "epochs",
       .type = integer,
       .help = "epochs to train",
       .minimum = 1,
       .maximum = kIntegerMaximum},
      {.name = "steps_per_epoch",
       .type = integer,
       .help = "minibatches of the reshuffled training set that an epoch uses; 0 is all of them",
       .default_value = 0,
       .minimum = 0,
       .maximum = kIntegerMaximum},
      shards_parameter("images"),
      {.name = "batch_norm",
       .type = string,
       .help = "over what a batch is normalised where it has several shards: each shard, as "
               "PyTorch's DistributedDataParallel does, or the whole batch, layer by layer",
       .default_value = "shard",
       .choices = {"shard", "synchronized"}},
      precision_parameter({"float32", "tf32", "bf16"}),
      {.name = "validation_images",
       .type = integer,
       .help = "training images, the last ones of the files, that are not trained on but evaluated "
               "after each epoch in the place of the test images; these then give the result's "
               "test_* alone. 0: schedules, early stopping and selections look at the test images",
       .default_value = 0,
       .minimum = 0,
       .maximum = 49999},
      {.name = "evaluation_batch",
       .type = integer,
       .help = "images evaluated at once; changes memory and speed, not the result",
       .default_value = 1000,
       .minimum = 1,
       .maximum = 50000},
  };
}

std::vector<MetricSpec> epoch_metrics() {
  return {
      {"train_loss", "mean cross-entropy over the epoch's minibatches, while training"},
      {"train_top1_error",
       "share of those images whose class wasn't the most probable one, while training, 0 to 1"},
      {"train_top5_error",
       "share of those images whose class wasn't among the five most probable, while training"},
      {"val_loss",
       "mean cross-entropy after the epoch over the validation images, or, without "
       "validation_images, the test images"},
      {"val_top1_error", "share of them whose class isn't the most probable one, 0 to 1"},
      {"val_top5_error", "share of them whose class isn't among the five most probable"},
      {"learning_rate", "the learning rate that the epoch was trained with"},
  };
}

// Multiply-adds of a forward pass of one image.
double image_work(const Json& parameters) {
  const std::string model = parameters.at("model");
  if (model == "cnn5x5") return 30.7e6;
  if (model == "cnn3") return 38.9e6;
  if (model == "resnet9") return 379e6;
  // 0.44 M of the first convolution, and 2.36 M of each other one whatever its stage.
  return 0.44e6 + 2.36e6 * (parameters.at("depth").get<double>() - 2);
}

// Training goes through the network three times (forward, and backward for activations and
// weights), the evaluation of the validation images, or of the 10,000 test images, once.
double cifar10_epoch_work(const Json& parameters) {
  constexpr double kAll = 50000, kTest = 10000;
  const double held_out = parameters.at("validation_images");
  const double training = kAll - held_out, evaluated = held_out > 0 ? held_out : kTest;
  const double steps = parameters.at("steps_per_epoch"), batch = parameters.at("batch");
  const double images = steps == 0 ? training : std::min(training, steps * batch);
  return image_work(parameters) * (3 * images + evaluated);
}

}  // namespace

TaskSpec cifar10_task() {
  TaskSpec task;
  task.name = "cifar10";
  task.help =
      "Image classification on CIFAR-10: 50,000 training and 10,000 test images, 10 classes";
  task.metrics = epoch_metrics();
  for (Parameters& group : std::vector<Parameters>{
           network_parameters(), optimizer_parameters(), regularization_parameters(),
           schedule_parameters(task.metric_names()), augmentation_parameters(), epoch_parameters()})
    task.parameters.insert(task.parameters.end(), std::make_move_iterator(group.begin()),
                           std::make_move_iterator(group.end()));
  task.result_metrics = {
      {"test_loss", "with validation_images: mean cross-entropy over the test images in the end"},
      {"test_top1_error", "likewise: share of test images whose class isn't the most probable one"},
      {"test_top5_error", "likewise: share whose class isn't among the five most probable"},
  };
  task.facts = {{"parameters", "trainable parameters of the network"}};
  task.epoch_work = cifar10_epoch_work;
  return task;
}

}  // namespace windrow::sweeps
