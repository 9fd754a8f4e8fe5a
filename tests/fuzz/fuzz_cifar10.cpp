// Files of CIFAR-10's images. A record has 3,073 bytes, which no fuzzer makes by chance: each byte
// of the input is a record's label too, before pixels that are the input over and over.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/fuzz/input_file.h"
#include "worker/data/cifar10_file.h"
#include "worker/data/image_size.h"

namespace {

using windrow::worker::kImageBytes;

void read(const std::string& content) {
  using namespace windrow::worker;
  const auto file = windrow::fuzz::input_file(reinterpret_cast<const std::uint8_t*>(content.data()),
                                              content.size(), "data_batch_1.bin");
  std::vector<std::uint8_t> images;
  std::vector<std::int64_t> labels;
  try {
    read_cifar10_file(file, [&](std::int64_t records) {
      images.resize(static_cast<std::size_t>(records * kImageBytes));
      labels.resize(static_cast<std::size_t>(records));
      return Cifar10Place{images.data(), labels.data()};
    });
  } catch (const TrainerError&) {
    return;
  }
  if (labels.size() * (1 + kImageBytes) != content.size()) std::abort();
  for (const std::int64_t label : labels)
    if (label < 0 || label > 9) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  read(input);
  std::string records;
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 8); ++i) {
    records += input[i];
    for (std::int64_t pixel = 0; pixel < kImageBytes; ++pixel)
      records += input[static_cast<std::size_t>(pixel) % size];
  }
  read(records);
  return 0;
}
