// Generated sets of items with a choice: the data of task choice-sets (study P3).
//
// Of a set with `items` items x[i] of `features` features each (at least 3):
//   x[i][k] ~ N(0, 1);  q = mean over i of |x[i][2]|;  c = tanh(3 (q - 0.798))
//   u[i] = 0.66 (0.6 x[i][0] + 1.5 c x[i][1]);  the choice is drawn from softmax(u).
// So the second feature's value depends on the whole set, which a network without pooling can't
// see. For 5 items the constant predictor 1/5 scores a mean squared error of 0.16 exactly, and the
// oracle softmax(u) about 0.1466.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace windrow::worker {

struct ChoiceSets {
  at::Tensor x;       // float [sets, items, features]
  at::Tensor choice;  // int64 [sets], 0 .. items-1
};

// Training and test sets are drawn from streams of their own: no test set is a training set.
enum class ChoicePart { training, test };

// Set s depends on (data_seed, part, s) only: not on how many are made, nor on threads. On the CPU.
ChoiceSets generate_choice_sets(std::int64_t data_seed, ChoicePart part, std::int64_t sets,
                                std::int64_t items, std::int64_t features);

// The generator's own probabilities of choice for one set x [items * features]: what the best
// possible predictor would answer.
std::vector<double> choice_probabilities(const float* x, std::int64_t items, std::int64_t features);

}  // namespace windrow::worker
