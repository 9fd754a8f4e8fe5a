// Whole runs, from seeds: no rule is broken, and each kind of fault has fired.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulation/simulation.h"

namespace windrow::simulation {
namespace {

// Under a sanitizer, which is slow, too few for each kind of fault to fire.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 40;
constexpr bool kEachFires = false;
#else
constexpr std::uint64_t kSeeds = 300;
constexpr bool kEachFires = true;
#endif

TEST(WholeRuns, ReachTheirEndWithWhatIsTrueWhateverHappens) {
  std::map<std::string, int> fired;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    try {
      for (const auto& [kind, count] : simulate(seed).faults) fired[kind] += count;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\nlook at it by: windrow-simulate --seed " << seed;
    }
  }
  for (const std::string& kind : fault_kinds()) EXPECT_TRUE(fired[kind] > 0 || !kEachFires) << kind;
}

TEST(WholeRuns, AreTheSameFromTheSameSeed) {
  const auto told = [] {
    std::vector<std::string> lines;
    simulate(7, [&](const std::string& line) { lines.push_back(line); });
    return lines;
  };
  const auto first = told();
  const auto second = told();
  EXPECT_GT(first.size(), 100u);
  const auto [one, other] = std::ranges::mismatch(first, second);
  EXPECT_TRUE(one == first.end() && other == second.end()) << *one << "\n" << *other;
}

}  // namespace
}  // namespace windrow::simulation
