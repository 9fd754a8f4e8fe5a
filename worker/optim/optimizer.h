// Optimizers over a model's flat buffers. Every constant is explicit; g is the (clipped) gradient,
// with weight_decay * w added to it (an L2 penalty) but by adamw, and t counts steps from 1:
//   sgd       w -= lr g
//   nesterov  b = momentum b + g;  w -= lr (g + momentum b)             (Sutskever et al. 2013)
//   adagrad   s += g²;  w -= lr g / (sqrt(s) + epsilon);  s begins at initial_accumulator
//   rmsprop   s = alpha s + (1 - alpha) g²;  w -= lr g / (sqrt(s) + epsilon)
//   adam      m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²
//             w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//   adamw     w *= 1 - lr weight_decay;  then as adam             (Loshchilov and Hutter 2019)
// These are PyTorch's forms. With epsilon_in_root adagrad and rmsprop divide by sqrt(s + epsilon),
// as Keras does. Keras adds adam's epsilon to sqrt(v), before the bias correction.
//
// Clipping comes first, as PyTorch's clip_grad_value_ and clip_grad_norm_ do it: each element into
// ±clip_value, then all of them times min(1, clip_norm / (|g| + 1e-6)), |g| the L2 norm over the
// whole buffer.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/models/weights.h"

namespace windrow::worker {

enum class OptimizerKind { sgd, nesterov, adagrad, rmsprop, adam, adamw };
OptimizerKind optimizer_from_name(const std::string& name);  // throws TrainerError{spec}

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::sgd;
  double lr = 0;
  double momentum = 0;
  double alpha = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  bool epsilon_in_root = false;
  double initial_accumulator = 0;
  double weight_decay = 0;
  std::optional<std::vector<Range>> decayed = {};  // what it acts on; nothing: all. In order
  std::optional<double> clip_norm = {}, clip_value = {};
};

class Optimizer {
 public:
  enum class Implementation {
    kernels,    // one fused pass; on the CPU
    operators,  // ATen's, on any device
    fused,  // ATen's that do a whole step in a launch or two; rmsprop has none, nor adagrad with
            // epsilon_in_root: they go by operators
  };

  // Over float buffers of one shape and device, which it keeps a hold of.
  Optimizer(const OptimizerSettings& settings, at::Tensor weights, at::Tensor gradient);
  Optimizer(const OptimizerSettings& settings, at::Tensor weights, at::Tensor gradient,
            Implementation implementation);

  // Updates the weights from the gradient as it is now, which is clipped in place. Doesn't wait for
  // the device.
  void step();

  // From the next step on.
  void set_lr(double lr) { settings_.lr = lr; }

  // All that the next step depends on beside the weights: the step count (int64, on the CPU) and
  // the moments. Restored by writing into them.
  std::vector<at::Tensor> state() const;

 private:
  struct Segment {  // of the buffer, with the weight decay that acts on it
    std::int64_t begin, end;
    double weight_decay;
  };
  static std::vector<Segment> segments_of(const OptimizerSettings& settings, std::int64_t count);
  void clip();
  bool has_fused() const;
  at::Tensor root_of_squares() const;  // that adagrad and rmsprop divide by
  void step_by_kernels(std::int64_t step);
  void step_by_operators(std::int64_t step);
  void step_fused(std::int64_t step);

  OptimizerSettings settings_;
  Implementation implementation_;
  at::Tensor weights_, gradient_;
  std::vector<Segment> segments_;  // they cover the buffer, in order
  at::Tensor decay_;               // weight decay of each weight; undefined where all are the same
  at::Tensor steps_, steps_on_device_;
  std::vector<at::Tensor> moments_;  // as the formulas name them, in their order
};

}  // namespace windrow::worker
