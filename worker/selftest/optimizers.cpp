// Twenty steps of each optimizer: ATen's fused ones on the device against the CPU's kernels.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "worker/optim/optimizer.h"
#include "worker/randomness.h"
#include "worker/selftest/selftest.h"

namespace windrow::worker {

void check_optimizers(SelfTest& test) {
  constexpr std::int64_t kWeights = 20'000;
  constexpr int kSteps = 20;
  const auto after_steps = [&](const OptimizerSettings& settings, at::Device device,
                               Optimizer::Implementation implementation) {
    const auto normal = [&](std::uint64_t index) {
      const RandomStream stream(5, 0, Purpose::initial_weights, index);
      const at::Tensor values = at::empty({kWeights}, at::kFloat);
      for (std::int64_t i = 0; i < kWeights; ++i)
        values.mutable_data_ptr<float>()[i] =
            static_cast<float>(2 * stream.uniform(static_cast<std::uint64_t>(i)) - 1);
      return values.to(device);
    };
    const at::Tensor weights = normal(0).clone(), gradient = at::zeros({kWeights}).to(device);
    Optimizer optimizer(settings, weights, gradient, implementation);
    for (int step = 1; step <= kSteps; ++step) {
      gradient.copy_(normal(static_cast<std::uint64_t>(step)));
      optimizer.step();
    }
    return weights;
  };
  const auto check = [&](const std::string& name, bool epsilon_in_root) {
    test.attempt("optimizer " + name + (epsilon_in_root ? ", epsilon in the root" : ""), [&] {
      const OptimizerSettings settings{.kind = optimizer_from_name(name),
                                       .lr = 0.01,
                                       .momentum = 0.9,
                                       .alpha = 0.99,
                                       .beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .epsilon = epsilon_in_root ? 1e-3 : 1e-8,
                                       .epsilon_in_root = epsilon_in_root,
                                       .initial_accumulator = 0.1,
                                       .weight_decay = 0.01,
                                       .clip_norm = 20.0};
      return near(after_steps(settings, test.device(), Optimizer::Implementation::fused),
                  after_steps(settings, at::kCPU, Optimizer::Implementation::kernels), 1e-4);
    });
  };
  for (const char* name : {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamw"})
    check(name, false);
  for (const char* name : {"adagrad", "rmsprop"}) check(name, true);
}

}  // namespace windrow::worker
