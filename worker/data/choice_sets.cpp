#include "worker/data/choice_sets.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "worker/randomness.h"

namespace windrow::worker {
namespace {

// Fills x with standard normal numbers from the stream's numbers from `first` (Box-Muller).
void fill_normal(const RandomStream& stream, std::uint64_t first, float* x, std::int64_t count) {
  for (std::int64_t j = 0; j < count; j += 2) {
    const std::uint64_t i = first + static_cast<std::uint64_t>(j);
    const double radius = std::sqrt(-2 * std::log(1 - stream.uniform(i)));
    const double angle = 2 * std::numbers::pi * stream.uniform(i + 1);
    x[j] = static_cast<float>(radius * std::cos(angle));
    if (j + 1 < count) x[j + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

std::int64_t draw(const std::vector<double>& probabilities, double uniform) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < probabilities.size(); ++i) {
    sum += probabilities[i];
    if (uniform < sum) return static_cast<std::int64_t>(i);
  }
  return static_cast<std::int64_t>(probabilities.size()) - 1;
}

}  // namespace

std::vector<double> choice_probabilities(const float* x, std::int64_t items,
                                         std::int64_t features) {
  double q = 0;
  for (std::int64_t i = 0; i < items; ++i) q += std::abs(x[i * features + 2]);
  const double c = std::tanh(3 * (q / static_cast<double>(items) - 0.798));
  std::vector<double> p(static_cast<std::size_t>(items));
  for (std::int64_t i = 0; i < items; ++i)
    p[static_cast<std::size_t>(i)] = 0.66 * (0.6 * x[i * features] + 1.5 * c * x[i * features + 1]);
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& v : p) sum += v = std::exp(v - largest);
  for (double& v : p) v /= sum;
  return p;
}

ChoiceSets generate_choice_sets(std::int64_t data_seed, ChoicePart part, std::int64_t sets,
                                std::int64_t items, std::int64_t features) {
  const RandomStream stream(
      data_seed, 0, part == ChoicePart::training ? Purpose::training_sets : Purpose::test_sets);
  const std::int64_t values = items * features;
  // Each set has its own range of the stream: an even count of normals, then the draw.
  const std::int64_t stride = values + values % 2 + 1;
  ChoiceSets data{at::empty({sets, items, features}, at::kFloat), at::empty({sets}, at::kLong)};
  float* x = data.x.mutable_data_ptr<float>();
  std::int64_t* choice = data.choice.mutable_data_ptr<std::int64_t>();
  at::parallel_for(0, sets, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      const auto first = static_cast<std::uint64_t>(s * stride);
      fill_normal(stream, first, x + s * values, values);
      choice[s] = draw(choice_probabilities(x + s * values, items, features),
                       stream.uniform(first + static_cast<std::uint64_t>(stride) - 1));
    }
  });
  return data;
}

}  // namespace windrow::worker
