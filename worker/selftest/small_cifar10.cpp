#include "worker/selftest/small_cifar10.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "worker/randomness.h"
#include "worker/trainer_error.h"

namespace windrow::worker {

SmallCifar10::SmallCifar10(int images_per_file) {
  std::string name = (std::filesystem::temp_directory_path() / "windrow-selftest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw TrainerError(protocol::TrainerFailure::data,
                       "no temporary folder can be made in " +
                           std::filesystem::temp_directory_path().string() + "; set TMPDIR");
  folder_ = name;
  for (std::uint64_t file = 0; file < 6; ++file) {
    const RandomStream noise(1, 0, Purpose::training_sets, file);
    const std::string base =
        file < 5 ? "data_batch_" + std::to_string(file + 1) + ".bin" : "test_batch.bin";
    std::ofstream out(folder_ / base, std::ios::binary);
    for (int image = 0; image < images_per_file; ++image) {
      const int label = image % 10;
      std::string record(3073, '\0');
      record[0] = static_cast<char>(label);
      for (std::size_t p = 1; p < record.size(); ++p)
        record[p] =
            static_cast<char>(label * 20 + static_cast<int>(noise.below(
                                               static_cast<std::uint64_t>(image) * 3073 + p, 56)));
      out.write(record.data(), static_cast<std::streamsize>(record.size()));
    }
  }
}

SmallCifar10::~SmallCifar10() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace windrow::worker
