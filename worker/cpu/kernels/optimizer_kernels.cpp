// The optimizers' elementwise loops, and the table of this instruction set's kernels.
#include <math.h>

#include "worker/cpu/kernels/kernels.h"

namespace windrow::worker {
namespace WINDROW_ISA {

void product(const ProductArguments& a);
void outer(const OuterArguments& a);
void to_contrasts(const ContrastArguments& a);
void from_contrasts(const ContrastArguments& a);
void relu_contrasts(const ContrastArguments& a);
void gate_contrasts(const ContrastArguments& a);

namespace {

float narrow(double value) {
  return static_cast<float>(value);
}

// Calls update(gradient, i) for each weight; the loop is left to the compiler's vectorizer.
template <class Update>
inline __attribute__((always_inline)) void for_each_weight(const OptimizerArguments& a,
                                                           Update update) {
  float* __restrict w = a.weights;
  const float* __restrict gradient = a.gradient;
  const float decay = narrow(a.weight_decay);
  for (std::int64_t i = 0; i < a.n; ++i) w[i] -= update(gradient[i] + decay * w[i], i);
}

void sgd(const OptimizerArguments& a) {
  const float lr = narrow(a.lr);
  for_each_weight(a, [=](float g, std::int64_t) { return lr * g; });
}

void nesterov(const OptimizerArguments& a) {
  const float lr = narrow(a.lr), momentum = narrow(a.momentum);
  float* __restrict b = a.first;
  for_each_weight(a, [=](float g, std::int64_t i) {
    b[i] = momentum * b[i] + g;
    return lr * (g + momentum * b[i]);
  });
}

void adagrad(const OptimizerArguments& a) {
  const float lr = narrow(a.lr), epsilon = narrow(a.epsilon);
  const float inside = narrow(a.epsilon_in_root);
  float* __restrict s = a.first;
  for_each_weight(a, [=](float g, std::int64_t i) {
    s[i] += g * g;
    return lr * g / (sqrtf(s[i] + inside) + epsilon);
  });
}

void rmsprop(const OptimizerArguments& a) {
  const float lr = narrow(a.lr), epsilon = narrow(a.epsilon);
  const float inside = narrow(a.epsilon_in_root);
  const float alpha = narrow(a.alpha), rest = narrow(1 - a.alpha);
  float* __restrict s = a.first;
  for_each_weight(a, [=](float g, std::int64_t i) {
    s[i] = alpha * s[i] + rest * g * g;
    return lr * g / (sqrtf(s[i] + inside) + epsilon);
  });
}

// The gradient of adam has the L2 penalty in it; decoupled decay takes a share of the weight.
template <bool decoupled>
inline __attribute__((always_inline)) void adam_step(const OptimizerArguments& a) {
  const float beta1 = narrow(a.beta1), beta2 = narrow(a.beta2), epsilon = narrow(a.epsilon);
  const float rest1 = narrow(1 - a.beta1), rest2 = narrow(1 - a.beta2);
  const float lr = narrow(a.lr / a.correction1), root = narrow(1 / sqrt(a.correction2));
  float* __restrict w = a.weights;
  const float* __restrict gradient = a.gradient;
  const float penalty = decoupled ? 0 : narrow(a.weight_decay);
  const float kept = decoupled ? narrow(1 - a.lr * a.weight_decay) : 1;
  float* __restrict m = a.first;
  float* __restrict v = a.second;
  for (std::int64_t i = 0; i < a.n; ++i) {
    const float g = decoupled ? gradient[i] : gradient[i] + penalty * w[i];
    m[i] = beta1 * m[i] + rest1 * g;
    v[i] = beta2 * v[i] + rest2 * g * g;
    const float update = lr * m[i] / (sqrtf(v[i]) * root + epsilon);
    w[i] = (decoupled ? kept * w[i] : w[i]) - update;
  }
}

void adam(const OptimizerArguments& a) {
  adam_step<false>(a);
}

void adamw(const OptimizerArguments& a) {
  adam_step<true>(a);
}

}  // namespace
}  // namespace WINDROW_ISA

#define WINDROW_JOIN2(a, b) a##b
#define WINDROW_JOIN(a, b) WINDROW_JOIN2(a, b)
#define WINDROW_TEXT2(a) #a
#define WINDROW_TEXT(a) WINDROW_TEXT2(a)

extern const Kernels WINDROW_JOIN(kKernels_, WINDROW_ISA);
const Kernels WINDROW_JOIN(kKernels_, WINDROW_ISA) = {
    WINDROW_TEXT(WINDROW_ISA),   WINDROW_ISA::product,
    WINDROW_ISA::outer,          WINDROW_ISA::to_contrasts,
    WINDROW_ISA::from_contrasts, WINDROW_ISA::relu_contrasts,
    WINDROW_ISA::gate_contrasts, WINDROW_ISA::sgd,
    WINDROW_ISA::nesterov,       WINDROW_ISA::adagrad,
    WINDROW_ISA::rmsprop,        WINDROW_ISA::adam,
    WINDROW_ISA::adamw};

}  // namespace windrow::worker
