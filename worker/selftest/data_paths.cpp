// What a batch goes through before and beside the model: augmentation, normalisation, dropout.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "worker/data/augmentation.h"
#include "worker/data/cifar10.h"
#include "worker/models/dropout.h"
#include "worker/selftest/selftest.h"

namespace windrow::worker {

void check_data_paths(SelfTest& test) {
  constexpr std::int64_t kImages = 64, kSeed = 11;
  const RandomStream bytes(kSeed, 0, Purpose::training_sets);
  const at::Tensor images = at::empty({kImages, 3, 32, 32}, at::kByte);
  for (std::int64_t i = 0; i < images.numel(); ++i)
    images.mutable_data_ptr<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(bytes.bits(static_cast<std::uint64_t>(i)));
  const at::Tensor order = at::arange(kImages - 1, -1, -1, at::kLong);
  const at::Device device = test.device();
  test.attempt("images, normalised", [&] {
    return near(normalized_batch(images.to(device), order.to(device)),
                normalized_batch(images, order), 1e-6);
  });
  const auto augment = [&](const Augmentation& augmentation, double limit) {
    const at::Tensor poses = draw_poses(augmentation, kSeed, 3, kImages);
    const bool interpolates = augmentation.interpolates();
    return near(augmented_batch_by_operators(images.to(device), order.to(device), poses.to(device),
                                             interpolates),
                augmented_batch(images, order, poses, interpolates), limit);
  };
  test.attempt("images, mirrored and moved",
               [&] { return augment({.flip = true, .translate = 4}, 1e-6); });
  test.attempt("images, turned and scaled", [&] {
    return augment({.flip = true, .translate = 3, .rotate = 15, .zoom = 0.1}, 1e-3);
  });
  test.attempt("dropout's masks", [&] {
    const at::Tensor x = normalized_batch(images, order);
    const RandomStream stream(kSeed, 2, Purpose::dropout, 5);
    return near(dropout_by_operators(x.to(device), 0.3, stream, 7), dropout(x, 0.3, stream, 7), 0);
  });
}

}  // namespace windrow::worker
