// Forward and backward passes of all models, with the same weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include "worker/data/choice_sets.h"
#include "worker/device/numerics.h"
#include "worker/models/image_model.h"
#include "worker/models/setnet.h"
#include "worker/selftest/selftest.h"

namespace windrow::worker {

namespace {

constexpr std::int64_t kImages = 16, kSeed = 11;

struct ImagePass {
  at::Tensor logits, gradient, statistics;
};

ImagePass pass_over(const std::string& model, at::Device device, Precision precision) {
  protocol::Json given{{"model", model}, {"optimizer", "adam"}, {"epochs", 1}, {"dropout", 0.2}};
  if (model == "resnet") given["depth"] = 14;
  const Parameters parameters("cifar10", given);
  declare_numerics(device, precision);
  Weights weights(device, kSeed);
  const auto made = make_image_model(model, parameters, weights);
  weights.allocate(/*autograd=*/true);
  const RandomStream values(kSeed, 0, Purpose::training_sets);
  const at::Tensor images = at::empty({kImages, 3, 32, 32}, at::kFloat);
  for (std::int64_t i = 0; i < images.numel(); ++i)
    images.mutable_data_ptr<float>()[i] =
        static_cast<float>(3 * values.uniform(static_cast<std::uint64_t>(i)) - 1.5);
  const at::Tensor labels = at::arange(kImages, at::kLong).remainder(10);
  const at::Tensor input = images.to(device).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor logits;
  {
    const PrecisionScope scope(device, precision);
    logits = made->forward(input, {.training = true, .seed = kSeed, .epoch = 1}).to(at::kFloat);
    at::cross_entropy_loss(logits, labels.to(device)).backward();
  }
  return {logits.detach(), weights.flat_gradient().clone(), weights.batch_statistics().clone()};
}

}  // namespace

void check_models(SelfTest& test) {
  const at::Device device = test.device();
  for (const std::string model : {"cnn5x5", "cnn3", "resnet9", "resnet"}) {
    if (device.is_cpu()) {
      test.not_tried(model + ", forward and gradients", "the CPU is what others are compared to");
      continue;
    }
    const ImagePass cpu = pass_over(model, at::kCPU, Precision::float32);
    const auto check = [&](const char* what, at::Tensor ImagePass::*part, Precision precision,
                           double limit) {
      test.attempt(model + ", " + what, [&] {
        return near(pass_over(model, device, precision).*part, cpu.*part, limit);
      });
    };
    check("forward", &ImagePass::logits, Precision::float32, 1e-4);
    check("gradients", &ImagePass::gradient, Precision::float32, 2e-3);
    if (model != "cnn5x5")
      check("statistics of the batch", &ImagePass::statistics, Precision::float32, 1e-4);
    check("forward in tf32", &ImagePass::logits, Precision::tf32, 2e-2);
    check("forward in bf16", &ImagePass::logits, Precision::bf16, 1e-1);
  }
  declare_numerics(device, Precision::float32);
  test.attempt("set network, gradients", [&] {
    const SetnetShape shape{.depth = 4, .width = 50};
    const ChoiceSets sets = generate_choice_sets(kSeed, ChoicePart::training, 256, 5, 3);
    const at::Tensor batch = at::arange(256, at::kLong);
    Weights here(device, kSeed), there(at::kCPU, kSeed);
    add_setnet_weights(shape, here);
    add_setnet_weights(shape, there);
    make_aten_setnet(shape, here)
        ->gradient({sets.x.to(device), sets.choice.to(device)}, batch.to(device));
    make_setnet(shape, there)->gradient(sets, batch);
    return near(here.flat_gradient(), there.flat_gradient(), 1e-4);
  });
}

}  // namespace windrow::worker
