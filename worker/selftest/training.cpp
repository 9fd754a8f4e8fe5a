// Whole trials on the device: the same twice, the same after an interruption, near to the CPU's.
#include <cstdio>

#include "worker/selftest/selftest.h"
#include "worker/selftest/small_cifar10.h"
#include "worker/selftest/trial.h"
#include "worker/state_bytes.h"

namespace windrow::worker {

namespace {

Outcome near_loss(double got, double expected, double limit) {
  const double difference = std::abs(got - expected) / expected;
  char text[96];
  std::snprintf(text, sizeof text, "losses %.5f and %.5f (limit %.0f%%)", got, expected,
                100 * limit);
  return {"", difference <= limit ? Outcome::Verdict::ok : Outcome::Verdict::differs, text};
}

}  // namespace

void check_training(SelfTest& test) {
  const SmallCifar10 images(20);
  const std::string folder = images.folder();
  const at::Device device = test.device();
  for (const std::string model : {"cnn5x5", "cnn3", "resnet9", "resnet"}) {
    test.attempt(model + ", trained twice", [&] {
      SmallTrial first(model, {}, device, folder), second(model, {}, device, folder);
      for (int epoch = 1; epoch <= 2; ++epoch) first.run_epoch(epoch), second.run_epoch(epoch);
      return same(first.hash(), second.hash(), "the same trial twice gives different bits");
    });
    test.attempt(model + ", interrupted and resumed", [&] {
      SmallTrial whole(model, {}, device, folder), before(model, {}, device, folder);
      for (int epoch = 1; epoch <= 3; ++epoch) whole.run_epoch(epoch);
      before.run_epoch(1);
      SmallTrial after(model, {}, device, folder);
      load_bytes(bytes_of(before.state()), 0, after.state());
      for (int epoch = 2; epoch <= 3; ++epoch) after.run_epoch(epoch);
      return same(after.hash(), whole.hash(), "a resumed trial gives other bits");
    });
  }
  if (device.is_cpu()) return;
  for (const std::string model : {"cnn5x5", "cnn3", "resnet9", "resnet"})
    for (const auto& [precision, limit] :
         {std::pair{"float32", 0.01}, {"tf32", 0.03}, {"bf16", 0.1}})
      test.attempt(model + ", four steps in " + precision, [&] {
        SmallTrial here(model, {{"precision", precision}}, device, folder);
        SmallTrial there(model, {}, at::kCPU, folder);
        return near_loss(here.run_epoch(1).at("train_loss"), there.run_epoch(1).at("train_loss"),
                         limit);
      });
}

}  // namespace windrow::worker
