// The plateau schedule of the learning rate, as PyTorch's ReduceLROnPlateau has it (mode min,
// relative threshold, no cooldown): the rate is multiplied by `factor` when the watched metric has
// not been below best * (1 - threshold) for more than `patience` epochs in a row, and goes no lower
// than `min_lr`; changes of at most 1e-8 are not made.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace windrow::worker {

struct PlateauSettings {
  std::string metric;  // of the epochs; lower is better
  double factor = 0.1;
  int patience = 10;
  double threshold = 1e-4;
  double min_lr = 0;
};

class Plateau {
 public:
  Plateau(PlateauSettings settings, double lr);

  const PlateauSettings& settings() const { return settings_; }
  double lr() const;

  // Call it after each epoch with the metric's value; a value that is NaN is no improvement.
  void observe(double value);

  // Learning rate, best value (infinite at the start), epochs since it: double [3] on the CPU.
  // Restored by writing into it.
  at::Tensor state() const { return state_; }

 private:
  PlateauSettings settings_;
  at::Tensor state_;
};

}  // namespace windrow::worker
