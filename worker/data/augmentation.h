// Augmentation of training images: mirrored, scaled, turned, moved, in this order. Batches are made
// on the device from the uint8 data, and normalised in the same pass.
//
// What lies beyond a border is the image reflected at the centres of its outermost pixels
// (PyTorch's and NumPy's padding "reflect"): no pixel then has a value that images don't have, as
// zeros would. Mirroring and moving alone are exact moves of pixels; where images are scaled or
// turned, all is one affine map, sampled once (bilinear).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace windrow::worker {

struct Augmentation {
  bool flip = false;           // left to right, with probability 1/2
  std::int64_t translate = 0;  // whole pixels: uniform in -translate .. translate along each axis
  double rotate = 0;           // degrees: uniform in ±rotate
  double zoom = 0;             // scale: uniform in 1 ± zoom; below 1

  bool any() const { return flip || translate > 0 || interpolates(); }
  bool interpolates() const { return rotate > 0 || zoom > 0; }
};

// What happens to one image, as float [kPoseSize]: 1, or -1 to mirror it; pixels to the right;
// pixels down; cos(angle) / scale and sin(angle) / scale, the angle counter-clockwise.
inline constexpr std::int64_t kPoseSize = 5;

// The poses of an epoch's images, by their position in the epoch's order: float [count, kPoseSize],
// on the CPU. A function of seed, epoch and position only.
at::Tensor draw_poses(const Augmentation& augmentation, std::int64_t seed, int epoch,
                      std::int64_t count);

// images[indices] (uint8 [n, 3, 32, 32]) in the poses (float [batch, kPoseSize]), normalised as
// normalized_batch() does: float [batch, 3, 32, 32] in channels-last memory order. All on one
// device. Without `interpolate`, only mirror and whole pixels are obeyed, and exact.
at::Tensor augmented_batch(const at::Tensor& images, const at::Tensor& indices,
                           const at::Tensor& poses, bool interpolate);

// The same by ATen operators, for any device.
at::Tensor augmented_batch_by_operators(const at::Tensor& images, const at::Tensor& indices,
                                        const at::Tensor& poses, bool interpolate);

}  // namespace windrow::worker
