#include "worker/data/cifar10_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "worker/data/image_size.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRecordBytes = 1 + kImageBytes;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw cifar10_error("can't open " + path.string() + ": " + std::strerror(errno));
  std::error_code error;
  std::string bytes(fs::file_size(path, error), '\0');
  if (error) throw cifar10_error("can't read " + path.string() + ": " + error.message());
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw cifar10_error("can't read " + path.string() + ": " + std::strerror(errno));
  return bytes;
}

}  // namespace

TrainerError cifar10_error(const std::string& message) {
  return {protocol::TrainerFailure::data,
          message +
              "; get the data with `windrow data cifar10`, or name the folder that holds "
              "cifar-10-batches-bin with --data or WINDROW_DATA"};
}

void read_cifar10_file(const fs::path& path,
                       const std::function<Cifar10Place(std::int64_t records)>& make_place) {
  const std::string bytes = read_file(path);
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (size == 0 || size % kRecordBytes != 0)
    throw cifar10_error(path.string() + " has " + std::to_string(size) +
                        " bytes; expected 30730000 (10,000 records), or another multiple of " +
                        std::to_string(kRecordBytes));
  const std::int64_t records = size / kRecordBytes;
  const Cifar10Place place = make_place(records);
  for (std::int64_t i = 0; i < records; ++i) {
    const char* record = bytes.data() + i * kRecordBytes;
    place.labels[i] = static_cast<unsigned char>(record[0]);
    if (place.labels[i] > 9)
      throw cifar10_error(path.string() + ": record " + std::to_string(i) + " has the label " +
                          std::to_string(place.labels[i]) +
                          "; labels are 0 to 9, so the file is damaged "
                          "or no CIFAR-10");
    std::memcpy(place.images + i * kImageBytes, record + 1, kImageBytes);
  }
}

}  // namespace windrow::worker
