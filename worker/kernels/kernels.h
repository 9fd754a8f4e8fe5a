// Loops that decide how fast a trainer on the CPU is, compiled once for each instruction set and
// chosen when the program runs.
//
// Vectors have 16 lanes logically, whatever the hardware's width: each element is summed in the
// same order with the same fused multiply-adds, so that avx2 and avx512 give the same bits.
// "baseline" (any x86-64, any other processor) rounds products before it adds them.
#pragma once

#include <cstdint>
#include <vector>

namespace windrow::worker {

inline constexpr std::int64_t kLanes = 16;

// y[o][r] = finish(start[o] + sum over k of x[k][r] w[k][o]) for rows r of 16 lanes each. Strides
// are in floats; all but w and bias are aligned to 64 bytes, as are their strides.
struct AffineArguments {
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  const float* x = nullptr;
  std::int64_t x_input = 0, x_row = 0;
  const float* w = nullptr;
  std::int64_t w_input = 0, w_output = 0;
  // Where sums start: a vector for each output, or a number for each output, or 0.
  const float* start = nullptr;  // [outputs][16]
  const float* bias = nullptr;   // [outputs]
  // The end of a sum, one of: nothing; times `scale`; ReLU; 0 where gate <= 0; the same after
  // adding `added` where the row's number is `argmax`.
  enum class Finish { nothing, scale, relu, gate, add_and_gate };
  Finish finish = Finish::nothing;
  float scale = 1;
  const float* gate = nullptr;    // laid out as y
  const float* added = nullptr;   // [outputs][16]
  const float* argmax = nullptr;  // [outputs][16]
  float* y = nullptr;
  std::int64_t y_output = 0, y_row = 0;
};

// w[i][o] = sum over blocks, rows and lanes of x[b][i][r] y[b][o][r], for i from first_input to
// last_input - 1. Strides as above.
struct OuterArguments {
  std::int64_t blocks = 0, rows = 0, first_input = 0, last_input = 0, outputs = 0;
  const float* x = nullptr;
  std::int64_t x_block = 0, x_input = 0, x_row = 0;
  const float* y = nullptr;
  std::int64_t y_block = 0, y_output = 0, y_row = 0;
  float* w = nullptr;  // [inputs][outputs]
};

// sum[f] = scale * (x[f][0] + ... + x[f][rows - 1]) for all features f, vectors of 16 lanes that
// lie one after the other.
struct SumRowsArguments {
  std::int64_t features = 0, rows = 0;
  const float* x = nullptr;
  float scale = 1;
  float* sum = nullptr;
};

// One step of an optimizer on n weights; the constants as optim/optimizer.h names them.
struct OptimizerArguments {
  std::int64_t n = 0;
  float* weights = nullptr;
  const float* gradient = nullptr;
  float* first = nullptr;   // b, s or m
  float* second = nullptr;  // v of adam and adamw
  double lr = 0, weight_decay = 0, momentum = 0, alpha = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  double correction1 = 1, correction2 = 1;  // adam, adamw: 1 - beta1^t, 1 - beta2^t
};

struct Kernels {
  const char* name;  // "avx512", "avx2" or "baseline"
  void (*affine)(const AffineArguments&);
  void (*outer)(const OuterArguments&);
  void (*sum_rows)(const SumRowsArguments&);
  void (*sgd)(const OptimizerArguments&);
  void (*nesterov)(const OptimizerArguments&);
  void (*adagrad)(const OptimizerArguments&);
  void (*rmsprop)(const OptimizerArguments&);
  void (*adam)(const OptimizerArguments&);
  void (*adamw)(const OptimizerArguments&);
};

// Those this processor can run, the fastest first; never empty.
std::vector<const Kernels*> available_kernels();
const Kernels& best_kernels();

}  // namespace windrow::worker
