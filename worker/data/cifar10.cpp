#include "worker/data/cifar10.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "worker/data/cifar10_file.h"
#include "worker/data/image_size.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "cifar-10-batches-bin";

fs::path find_folder(const fs::path& data_dir) {
  if (data_dir.empty())
    throw cifar10_error("task cifar10 needs data, but no data folder was given");
  std::error_code error;
  if (fs::is_directory(data_dir / kFolder, error)) return data_dir / kFolder;
  if (fs::exists(data_dir / "data_batch_1.bin", error) || data_dir.filename() == kFolder)
    return data_dir;
  throw cifar10_error("there is no CIFAR-10 in " + data_dir.string() + ": neither " + kFolder +
                      " nor data_batch_1.bin");
}

LabelledImages read_batch(const fs::path& path) {
  LabelledImages batch;
  read_cifar10_file(path, [&](std::int64_t records) {
    batch = {at::empty({records, 3, 32, 32}, at::kByte), at::empty({records}, at::kLong)};
    return Cifar10Place{batch.images.mutable_data_ptr<std::uint8_t>(),
                        batch.labels.mutable_data_ptr<std::int64_t>()};
  });
  return batch;
}

PixelTable make_pixel_table() {
  PixelTable table;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v)
      table[c][v] = static_cast<float>((static_cast<double>(v) / 255 - kCifar10Mean[c]) /
                                       kCifar10Deviation[c]);
  return table;
}

// Gathers, normalises and interleaves the channels in one pass.
void normalize_on_cpu(const at::Tensor& images, const at::Tensor& indices, const at::Tensor& out) {
  const PixelTable& table = cifar10_pixels();
  const auto* from = images.const_data_ptr<std::uint8_t>();
  const auto* index = indices.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, indices.numel(), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t* image = from + index[i] * kImageBytes;
      float* pixel = to + i * kImageBytes;
      for (std::int64_t p = 0; p < kImagePixels; ++p, pixel += 3) {
        pixel[0] = table[0][image[p]];
        pixel[1] = table[1][image[kImagePixels + p]];
        pixel[2] = table[2][image[2 * kImagePixels + p]];
      }
    }
  });
}

// [1, 3, 1, 1] on the device. Copied there once: a copy in each step would wait for it.
struct ChannelConstants {
  at::Tensor mean, deviation;
};
const ChannelConstants& channel_constants(const at::TensorOptions& options) {
  static std::mutex mutex;
  // Never destroyed: at the process's end the device's memory may be gone before.
  static auto& known = *new std::map<std::string, ChannelConstants>();
  const std::lock_guard lock(mutex);
  auto [found, is_new] = known.try_emplace(options.device().str());
  if (is_new) {
    const auto make = [&](const std::array<double, 3>& values) {
      return at::tensor(at::ArrayRef<double>(values.data(), values.size()), options)
          .view({1, 3, 1, 1});
    };
    found->second = {make(kCifar10Mean), make(kCifar10Deviation)};
  }
  return found->second;
}

}  // namespace

const PixelTable& cifar10_pixels() {
  static const PixelTable table = make_pixel_table();
  return table;
}

at::Tensor normalized(const at::Tensor& pixels) {
  const ChannelConstants& constants = channel_constants(pixels.options());
  return pixels.contiguous(at::MemoryFormat::ChannelsLast)
      .div_(255)
      .sub_(constants.mean)
      .div_(constants.deviation);
}

Cifar10 read_cifar10(const fs::path& data_dir) {
  const fs::path folder = find_folder(data_dir);
  std::vector<at::Tensor> images, labels;
  for (int i = 1; i <= 5; ++i) {
    LabelledImages batch = read_batch(folder / ("data_batch_" + std::to_string(i) + ".bin"));
    images.push_back(std::move(batch.images));
    labels.push_back(std::move(batch.labels));
  }
  return {{at::cat(images), at::cat(labels)}, read_batch(folder / "test_batch.bin")};
}

at::Tensor normalized_batch(const at::Tensor& images, const at::Tensor& indices) {
  const auto options = images.options().dtype(at::kFloat);
  if (images.is_cpu()) {
    const at::Tensor out =
        at::empty({indices.numel(), 3, 32, 32}, options, at::MemoryFormat::ChannelsLast);
    normalize_on_cpu(images, indices, out);
    return out;
  }
  return normalized(images.index_select(0, indices).to(at::kFloat));
}

}  // namespace windrow::worker
