// Randomness as a function of (seed, epoch, purpose, index), never of history: a resumed trial
// needs no generator state, and the same numbers come out on every device.
//
// The generator is SplitMix64 (Steele, Lea, Flood 2014) read as a counter: number i of a stream is
// mix(key + i * gamma), so any number can be had without those before it.
#pragma once

#include <cstdint>
#include <vector>

namespace windrow::worker {

enum class Purpose : std::uint64_t {
  initial_weights = 1,  // index: the tensor
  data_order = 2,
  dropout = 3,  // index: the layer
  training_sets = 4,
  test_sets = 5,
  augmentation = 6,  // index: the image's position in the epoch
};

class RandomStream {
 public:
  RandomStream(std::int64_t seed, std::int64_t epoch, Purpose purpose, std::uint64_t index = 0)
      : key_(
            mix(mix(mix(mix(static_cast<std::uint64_t>(seed)) + static_cast<std::uint64_t>(epoch)) +
                    static_cast<std::uint64_t>(purpose)) +
                index)) {}

  // A seed for another generator.
  std::uint64_t key() const { return key_; }
  std::uint64_t bits(std::uint64_t i) const { return mix(key_ + (i + 1) * kGamma); }
  // In [0, 1), multiples of 2^-53.
  double uniform(std::uint64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1p-53; }
  // In [0, n), n > 0; the bias is below n / 2^64.
  std::uint64_t below(std::uint64_t i, std::uint64_t n) const {
    return static_cast<std::uint64_t>((static_cast<Wide>(bits(i)) * n) >> 64);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
};

// The first min(count, n) entries of a uniform random permutation of 0 .. n-1 (Fisher-Yates).
std::vector<std::int64_t> random_order(const RandomStream& stream, std::int64_t n,
                                       std::int64_t count);

}  // namespace windrow::worker
