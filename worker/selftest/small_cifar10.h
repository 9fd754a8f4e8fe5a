// Files in CIFAR-10's layout of a few made-up images, in a temporary folder.
#pragma once

#include <filesystem>

namespace windrow::worker {

class SmallCifar10 {
 public:
  explicit SmallCifar10(int images_per_file);
  ~SmallCifar10();
  SmallCifar10(const SmallCifar10&) = delete;
  SmallCifar10& operator=(const SmallCifar10&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace windrow::worker
