// Augmentation by ATen operators: what runs on a GPU. No step waits for the device.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include "worker/data/augmentation.h"
#include "worker/data/cifar10.h"
#include "worker/data/image_size.h"

namespace windrow::worker {
namespace {

constexpr double kCentre = (kImageSide - 1) / 2.0;

at::Tensor reflected(const at::Tensor& i) {
  constexpr std::int64_t kLast = kImageSide - 1;
  const at::Tensor folded = i.abs().remainder(2 * kLast);
  return at::minimum(folded, 2 * kLast - folded);
}

// Element `e` of the poses: [batch, 1].
at::Tensor element(const at::Tensor& poses, std::int64_t e) {
  return poses.narrow(1, e, 1);
}

at::Tensor moved(const at::Tensor& images, const at::Tensor& poses) {
  const at::Tensor line = at::arange(kImageSide, poses.options().dtype(at::kLong));
  at::Tensor columns = reflected(line - element(poses, 1).to(at::kLong));  // [batch, 32]
  columns = at::where(element(poses, 0).lt(0), kImageSide - 1 - columns, columns);
  const at::Tensor rows = reflected(line - element(poses, 2).to(at::kLong));
  const at::Tensor pixels =
      rows.unsqueeze(2) * kImageSide + columns.unsqueeze(1);  // [batch, 32, 32]
  const std::int64_t n = images.size(0);
  return images.flatten(2)
      .gather(2,
              pixels.view({n, 1, kImageSide * kImageSide}).expand({n, 3, kImageSide * kImageSide}))
      .view(images.sizes())
      .to(at::kFloat);
}

at::Tensor mapped(const at::Tensor& images, const at::Tensor& poses) {
  const at::Tensor line = at::arange(kImageSide, poses.options()) - kCentre;
  const at::Tensor u = (line - element(poses, 1)).unsqueeze(1);  // [batch, 1, 32]
  const at::Tensor v = (line - element(poses, 2)).unsqueeze(2);  // [batch, 32, 1]
  const at::Tensor cos = element(poses, 3).unsqueeze(2), sin = element(poses, 4).unsqueeze(2);
  const at::Tensor x = (cos * u - sin * v) * element(poses, 0).unsqueeze(2);
  const at::Tensor y = sin * u + cos * v;
  constexpr std::int64_t kBilinear = 0, kReflection = 2;
  return at::grid_sampler(images.to(at::kFloat), at::stack({x, y}, 3) / kCentre, kBilinear,
                          kReflection, /*align_corners=*/true);
}

}  // namespace

at::Tensor augmented_batch_by_operators(const at::Tensor& images, const at::Tensor& indices,
                                        const at::Tensor& poses, bool interpolate) {
  const at::Tensor batch = images.index_select(0, indices);
  return normalized(interpolate ? mapped(batch, poses) : moved(batch, poses));
}

}  // namespace windrow::worker
