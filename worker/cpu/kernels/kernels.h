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

// y[o][r] = sum over k of x[k][r] w[k][o] for rows r of 16 lanes each. Strides are in floats; x and
// y are aligned to 64 bytes, as are their strides.
struct ProductArguments {
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  const float* x = nullptr;
  std::int64_t x_input = 0, x_row = 0;
  const float* w = nullptr;
  std::int64_t w_input = 0, w_output = 0;
  float* y = nullptr;
  std::int64_t y_output = 0, y_row = 0;
};

// w[i][o] = sum over blocks, rows and lanes of x[b][i][r] y[b][o][r], for i from first_input to
// last_input - 1; head[i][o] = the part of that sum over each block's row 0, which w holds as well
// or not. Strides as above; rows lie one after the other.
struct OuterArguments {
  std::int64_t blocks = 0, rows = 0, first_input = 0, last_input = 0, outputs = 0;
  const float* x = nullptr;
  std::int64_t x_block = 0, x_input = 0;
  const float* y = nullptr;
  std::int64_t y_block = 0, y_output = 0;
  float* w = nullptr;     // [inputs][outputs]
  float* head = nullptr;  // [inputs][outputs]
  bool w_has_head = true;
};

// Between the values of a set's items and their contrasts, the product with Helmert's orthonormal
// matrix (Lancaster 1965): of values v[0], v[1], ... of n items
//   contrast 0 = (v[0] + ... + v[n-1]) / sqrt(n)
//   contrast j = (v[0] + ... + v[j-1] - j v[j]) / sqrt(j (j + 1))
// for each feature; all is [features][items][16].
struct ContrastArguments {
  std::int64_t features = 0, items = 0;
  const float* scale = nullptr;  // [items]: 1 / sqrt(n), then 1 / sqrt(j (j + 1))
  const float* in = nullptr;
  const float* bias = nullptr;  // [features]: added to all items' values
  // [features][items], a bit for each of the 16 lanes: values above 0, which the ReLU lets through.
  std::uint16_t* opened = nullptr;      // as the ReLU finds them
  const std::uint16_t* open = nullptr;  // as the gate lets them through
  float* out = nullptr;                 // may be `in`
};

// One step of an optimizer on n weights; the constants as optim/optimizer.h names them.
struct OptimizerArguments {
  std::int64_t n = 0;
  float* weights = nullptr;
  const float* gradient = nullptr;
  float* first = nullptr;   // b, s or m
  float* second = nullptr;  // v of adam and adamw
  double lr = 0, weight_decay = 0, momentum = 0, alpha = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  double epsilon_in_root = 0;               // adagrad, rmsprop: added to the squares
  double correction1 = 1, correction2 = 1;  // adam, adamw: 1 - beta1^t, 1 - beta2^t
};

struct Kernels {
  const char* name;  // "avx512", "avx2" or "baseline"
  void (*product)(const ProductArguments&);
  void (*outer)(const OuterArguments&);
  void (*to_contrasts)(const ContrastArguments&);    // values `in` to contrasts `out`
  void (*from_contrasts)(const ContrastArguments&);  // contrasts `in`, bias, to values `out`
  // From contrasts `in` to the values, through the ReLU or the gate, and back to contrasts `out`.
  void (*relu_contrasts)(const ContrastArguments&);  // bias, opened
  void (*gate_contrasts)(const ContrastArguments&);  // open
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
