// One file of CIFAR-10 in its binary layout: a whole number of records, each a label byte (0 to 9)
// and 3072 pixel bytes (red, green, blue plane, each 32 x 32, row by row). Knows no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "worker/trainer_error.h"

namespace windrow::worker {

// Where the records go: images [n, 3, 32, 32] and labels [n].
struct Cifar10Place {
  std::uint8_t* images;
  std::int64_t* labels;
};

// `make_place` is called once, with the number of records. Throws what it throws, and
// TrainerError{data} that names the file, its expected and actual size, and what to do.
void read_cifar10_file(const std::filesystem::path& path,
                       const std::function<Cifar10Place(std::int64_t records)>& make_place);

// The message, and where the data are to be had.
TrainerError cifar10_error(const std::string& message);

}  // namespace windrow::worker
