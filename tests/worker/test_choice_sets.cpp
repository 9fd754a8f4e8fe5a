#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include <set>

#include "worker/data/choice_sets.h"
#include "worker/data/data_cache.h"

namespace windrow::worker {
namespace {

constexpr std::int64_t kItems = 5, kFeatures = 3;

ChoiceSets sets(std::int64_t seed, ChoicePart part, std::int64_t n) {
  return generate_choice_sets(seed, part, n, kItems, kFeatures);
}

TEST(ChoiceSets, DependOnSeedPartAndNumberOnly) {
  const ChoiceSets few = sets(4, ChoicePart::training, 100);
  at::set_num_threads(2);
  const ChoiceSets many = sets(4, ChoicePart::training, 5000);
  at::set_num_threads(1);
  EXPECT_TRUE(few.x.equal(many.x.narrow(0, 0, 100)));
  EXPECT_TRUE(few.choice.equal(many.choice.narrow(0, 0, 100)));
  EXPECT_FALSE(few.x.equal(sets(5, ChoicePart::training, 100).x));
}

TEST(ChoiceSets, NoTestSetIsATrainingSet) {
  const at::Tensor training = sets(0, ChoicePart::training, 20000).x;
  const at::Tensor test = sets(0, ChoicePart::test, 20000).x;
  std::set<std::pair<float, float>> seen;
  const auto first_two = [](const at::Tensor& x, std::int64_t s) {
    const float* from = x.const_data_ptr<float>() + s * kItems * kFeatures;
    return std::pair(from[0], from[1]);
  };
  for (std::int64_t s = 0; s < 20000; ++s) seen.insert(first_two(training, s));
  EXPECT_EQ(seen.size(), 20000u);
  for (std::int64_t s = 0; s < 20000; ++s) EXPECT_FALSE(seen.contains(first_two(test, s)));
}

TEST(ChoiceSets, FeaturesAreStandardNormalAndChoicesBalanced) {
  const std::int64_t n = 100000;
  const ChoiceSets data = sets(0, ChoicePart::training, n);
  EXPECT_NEAR(data.x.mean().item<double>(), 0, 0.005);
  EXPECT_NEAR(data.x.std().item<double>(), 1, 0.005);
  for (std::int64_t i = 0; i < kItems; ++i)
    EXPECT_NEAR(data.choice.eq(i).sum().item<double>() / static_cast<double>(n), 0.2, 0.005);
}

TEST(ChoiceSets, TheOracleScoresWhatTheStudySays) {
  const std::int64_t n = 200000;
  const ChoiceSets data = sets(0, ChoicePart::test, n);
  double oracle = 0, constant = 0;
  for (std::int64_t s = 0; s < n; ++s) {
    const auto p = choice_probabilities(data.x.const_data_ptr<float>() + s * kItems * kFeatures,
                                        kItems, kFeatures);
    for (std::int64_t i = 0; i < kItems; ++i) {
      const double target = data.choice.const_data_ptr<std::int64_t>()[s] == i ? 1 : 0;
      oracle +=
          (p[static_cast<std::size_t>(i)] - target) * (p[static_cast<std::size_t>(i)] - target);
      constant += (0.2 - target) * (0.2 - target);
    }
  }
  EXPECT_NEAR(constant / static_cast<double>(n * kItems), 0.16, 1e-12);
  EXPECT_NEAR(oracle / static_cast<double>(n * kItems), 0.1466, 0.0005);
}

TEST(ChoiceSets, MoreFeaturesThanThreeAreNoise) {
  const ChoiceSets data = generate_choice_sets(0, ChoicePart::training, 10, 4, 6);
  EXPECT_EQ(data.x.sizes(), (std::vector<std::int64_t>{10, 4, 6}));
  std::vector<float> x(data.x.const_data_ptr<float>(), data.x.const_data_ptr<float>() + 24);
  const auto before = choice_probabilities(x.data(), 4, 6);
  for (std::size_t i = 0; i < 4; ++i) x[i * 6 + 3] += 1;
  EXPECT_EQ(before, choice_probabilities(x.data(), 4, 6));
}

TEST(DataCache, MakesDataOnceAndKeepsTheLastUsed) {
  DataCache cache;
  int made = 0;
  const auto get = [&](const std::string& key) {
    return *cache.get<std::string>(key, [&] { return ++made, "data of " + key; });
  };
  EXPECT_EQ(get("a"), "data of a");
  EXPECT_EQ(get("a"), "data of a");
  EXPECT_EQ(made, 1);
  for (const char* key : {"b", "c", "d"}) get(key);
  get("a");  // still there, and used last
  EXPECT_EQ(made, 4);
  get("e");  // b goes
  get("a");
  EXPECT_EQ(made, 5);
  get("b");
  EXPECT_EQ(made, 6);
}

TEST(DataCache, KeepsNothingOfAnAttemptThatFailed) {
  DataCache cache;
  EXPECT_THROW(cache.get<int>("a", []() -> int { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(*cache.get<int>("a", [] { return 2; }), 2);
}

}  // namespace
}  // namespace windrow::worker
