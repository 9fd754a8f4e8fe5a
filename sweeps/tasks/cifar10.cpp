// Task cifar10: classify the images of CIFAR-10 (study P1 of docs/studies).
//
// The optimizers' constants are stated here because libraries differ: RMSProp's alpha (Keras: rho)
// is 0.99 in PyTorch and 0.9 in Keras; AdaGrad's accumulator starts at 0 in PyTorch and at 0.1 in
// Keras; epsilon is 1e-8 (adagrad: 1e-10) in PyTorch and 1e-7 in Keras.
#include "sweeps/tasks/registry.h"

namespace windrow::sweeps {

double default_epsilon(std::string_view optimizer) {
  if (optimizer == "adagrad") return 1e-7;
  if (optimizer == "rmsprop" || optimizer == "adam") return 1e-8;
  return 0;
}

TaskSpec cifar10_task() {
  using enum ParameterType;
  TaskSpec task;
  task.name = "cifar10";
  task.help =
      "Image classification on CIFAR-10: 50,000 training and 10,000 test images, 10 classes";
  task.parameters = {
      {.name = "model",
       .type = string,
       .help = "the network: cnn5x5 is three 5x5 convolutions (32, 64, 128) with ReLU and 2x2 "
               "max-pooling, then 1000 units with ReLU",
       .choices = {"cnn5x5"}},
      {.name = "optimizer",
       .type = string,
       .help = "sgd; nesterov (SGD with Nesterov momentum); adagrad; rmsprop; adam",
       .choices = {"sgd", "nesterov", "adagrad", "rmsprop", "adam"}},
      {.name = "lr",
       .help = "learning rate, constant",
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
       .help = "decay of adam's mean of gradients (PyTorch and Keras: 0.9)",
       .default_value = 0.9,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "beta2",
       .help = "decay of adam's mean of squared gradients (PyTorch and Keras: 0.999)",
       .default_value = 0.999,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
      {.name = "epsilon",
       .help =
           "added to the root of the squares; null is the optimizer's own: adam and rmsprop 1e-8 "
           "(PyTorch's; Keras': 1e-7), adagrad 1e-7 (Keras'; PyTorch's: 1e-10)",
       .default_value = nullptr,
       .minimum = 0,
       .exclusive_minimum = true},
      {.name = "initial_accumulator",
       .help = "what adagrad's sum of squares begins with; the default is Keras', PyTorch's is 0",
       .default_value = 0.1,
       .minimum = 0},
      {.name = "weight_decay",
       .help = "L2 penalty: this times the weight is added to its gradient",
       .default_value = 0.0,
       .minimum = 0},
      {.name = "dropout",
       .help = "share of activations dropped after each pooling",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 1,
       .exclusive_maximum = true},
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
      {.name = "evaluation_batch",
       .type = integer,
       .help = "images evaluated at once; changes memory and speed, not the result",
       .default_value = 1000,
       .minimum = 1,
       .maximum = 50000},
  };
  task.metrics = {
      {"train_loss", "mean cross-entropy over the epoch's minibatches, while training"},
      {"val_loss", "mean cross-entropy over the test images after the epoch"},
      {"val_top1_error", "share of test images whose class isn't the most probable one, 0 to 1"},
      {"val_top5_error", "share of test images whose class isn't among the five most probable"},
  };
  task.facts = {{"parameters", "trainable parameters of the network"}};
  return task;
}

}  // namespace windrow::sweeps
