#include "worker/data/augmentation.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cmath>
#include <numbers>

#include "worker/data/cifar10.h"
#include "worker/data/image_size.h"
#include "worker/randomness.h"

namespace windrow::worker {
namespace {

constexpr float kMiddle = (kImageSide - 1) / 2.0F;

enum PoseElement { kMirror, kRight, kDown, kCos, kSin };

// The pixel of a row or column that coordinate i stands for, reflected at the borders.
int reflected(int i) {
  constexpr int kLast = kImageSide - 1;
  i = std::abs(i) % (2 * kLast);
  return i > kLast ? 2 * kLast - i : i;
}

using ImageTables = const PixelTable&;

void move_image(const std::uint8_t* image, const float* pose, ImageTables table, float* to) {
  const int right = static_cast<int>(pose[kRight]), down = static_cast<int>(pose[kDown]);
  std::array<int, kImageSide> columns;
  for (int x = 0; x < kImageSide; ++x) {
    const int column = reflected(x - right);
    columns[static_cast<std::size_t>(x)] = pose[kMirror] < 0 ? kImageSide - 1 - column : column;
  }
  for (int y = 0; y < kImageSide; ++y) {
    const std::uint8_t* row = image + reflected(y - down) * kImageSide;
    for (const int x : columns) {
      *to++ = table[0][row[x]];
      *to++ = table[1][row[kImagePixels + x]];
      *to++ = table[2][row[2 * kImagePixels + x]];
    }
  }
}

void map_image(const std::uint8_t* image, const float* pose, ImageTables table, float* to) {
  for (int y = 0; y < kImageSide; ++y) {
    const float v = static_cast<float>(y) - kMiddle - pose[kDown];
    for (int x = 0; x < kImageSide; ++x, to += 3) {
      const float u = static_cast<float>(x) - kMiddle - pose[kRight];
      const float from_x = (pose[kCos] * u - pose[kSin] * v) * pose[kMirror] + kMiddle;
      const float from_y = pose[kSin] * u + pose[kCos] * v + kMiddle;
      const float left = std::floor(from_x), top = std::floor(from_y);
      const float across = from_x - left, along = from_y - top;
      const int x0 = reflected(static_cast<int>(left)), x1 = reflected(static_cast<int>(left) + 1);
      const int y0 = reflected(static_cast<int>(top)) * kImageSide;
      const int y1 = reflected(static_cast<int>(top) + 1) * kImageSide;
      const float w00 = (1 - across) * (1 - along), w10 = across * (1 - along);
      const float w01 = (1 - across) * along, w11 = across * along;
      for (std::size_t c = 0; c < 3; ++c) {
        const std::uint8_t* plane = image + c * kImagePixels;
        to[c] = w00 * table[c][plane[y0 + x0]] + w10 * table[c][plane[y0 + x1]] +
                w01 * table[c][plane[y1 + x0]] + w11 * table[c][plane[y1 + x1]];
      }
    }
  }
}

}  // namespace

at::Tensor draw_poses(const Augmentation& augmentation, std::int64_t seed, int epoch,
                      std::int64_t count) {
  const at::Tensor poses = at::empty({count, kPoseSize}, at::kFloat);
  float* pose = poses.mutable_data_ptr<float>();
  const auto moves = static_cast<std::uint64_t>(2 * augmentation.translate + 1);
  for (std::int64_t i = 0; i < count; ++i, pose += kPoseSize) {
    const RandomStream draw(seed, epoch, Purpose::augmentation, static_cast<std::uint64_t>(i));
    const auto pixels = [&](std::uint64_t number) {
      return static_cast<float>(static_cast<std::int64_t>(draw.below(number, moves)) -
                                augmentation.translate);
    };
    const auto symmetric = [&](std::uint64_t number) { return 2 * draw.uniform(number) - 1; };
    const double angle = augmentation.rotate * symmetric(3) * std::numbers::pi / 180;
    const double scale = 1 + augmentation.zoom * symmetric(4);
    pose[kMirror] = augmentation.flip && draw.uniform(0) < 0.5 ? -1 : 1;
    pose[kRight] = pixels(1);
    pose[kDown] = pixels(2);
    pose[kCos] = static_cast<float>(std::cos(angle) / scale);
    pose[kSin] = static_cast<float>(std::sin(angle) / scale);
  }
  return poses;
}

at::Tensor augmented_batch(const at::Tensor& images, const at::Tensor& indices,
                           const at::Tensor& poses, bool interpolate) {
  if (!images.is_cpu()) return augmented_batch_by_operators(images, indices, poses, interpolate);
  const at::Tensor out =
      at::empty({indices.numel(), 3, kImageSide, kImageSide}, images.options().dtype(at::kFloat),
                at::MemoryFormat::ChannelsLast);
  const auto* from = images.const_data_ptr<std::uint8_t>();
  const auto* index = indices.const_data_ptr<std::int64_t>();
  const float* pose = poses.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  const auto one = interpolate ? map_image : move_image;
  at::parallel_for(0, indices.numel(), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      one(from + index[i] * kImageBytes, pose + i * kPoseSize, cifar10_pixels(),
          to + i * kImageBytes);
  });
  return out;
}

}  // namespace windrow::worker
