#include "worker/optim/plateau.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace windrow::worker {

namespace {
enum { kLr, kBest, kBadEpochs, kSize };
constexpr double kLeastChange = 1e-8;
}  // namespace

Plateau::Plateau(PlateauSettings settings, double lr)
    : settings_(std::move(settings)), state_(at::zeros({kSize}, at::kDouble)) {
  double* state = state_.mutable_data_ptr<double>();
  state[kLr] = lr;
  state[kBest] = std::numeric_limits<double>::infinity();
}

double Plateau::lr() const {
  return state_.const_data_ptr<double>()[kLr];
}

void Plateau::observe(double value) {
  double* state = state_.mutable_data_ptr<double>();
  if (value < state[kBest] * (1 - settings_.threshold)) {
    state[kBest] = value;
    state[kBadEpochs] = 0;
    return;
  }
  if (++state[kBadEpochs] <= settings_.patience) return;
  state[kBadEpochs] = 0;
  const double lr = std::max(state[kLr] * settings_.factor, settings_.min_lr);
  if (state[kLr] - lr > kLeastChange) state[kLr] = lr;
}

}  // namespace windrow::worker
