// CIFAR-10 in its binary layout (https://www.cs.toronto.edu/~kriz/cifar.html): the folder
// cifar-10-batches-bin with data_batch_1.bin .. data_batch_5.bin and test_batch.bin, each a whole
// number of records of one label byte (0 to 9) and 3072 pixel bytes (red, green, blue plane, each
// 32 x 32, row by row). The real files have 10,000 records each; smaller ones are taken as well.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>

namespace windrow::worker {

struct LabelledImages {
  at::Tensor images;  // uint8 [n, 3, 32, 32]
  at::Tensor labels;  // int64 [n]
};

struct Cifar10 {
  LabelledImages training, test;
};

// `data_dir` is the folder of the files, or holds cifar-10-batches-bin. On the CPU. Throws
// TrainerError{data} that names the file, its expected and actual size, and what to do.
Cifar10 read_cifar10(const std::filesystem::path& data_dir);

// Mean and standard deviation of the training images' channels (red, green, blue), of pixels scaled
// to 0 .. 1: what images are normalised with. Of the original training set, to four digits.
inline constexpr std::array<double, 3> kCifar10Mean{0.4914, 0.4822, 0.4465};
inline constexpr std::array<double, 3> kCifar10Deviation{0.2470, 0.2435, 0.2616};

inline constexpr std::array<const char*, 10> kCifar10Classes{
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

// What a pixel value becomes when it is normalised, for each channel.
using PixelTable = std::array<std::array<float, 256>, 3>;
const PixelTable& cifar10_pixels();

// Pixels 0 .. 255, float [n, 3, 32, 32], normalised in place where their memory order is channels
// last already.
at::Tensor normalized(const at::Tensor& pixels);

// images[indices], normalised: float [n, 3, 32, 32] in channels-last memory order, on the images'
// device. `indices` is int64 [n] on that device.
at::Tensor normalized_batch(const at::Tensor& images, const at::Tensor& indices);

}  // namespace windrow::worker
