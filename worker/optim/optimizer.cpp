#include "worker/optim/optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adagrad.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "worker/cpu/kernels/kernels.h"
#include "worker/trainer_error.h"

namespace windrow::worker {

namespace {

auto kernel_of(OptimizerKind kind) {
  const Kernels& kernels = best_kernels();
  switch (kind) {
    case OptimizerKind::sgd:
      return kernels.sgd;
    case OptimizerKind::nesterov:
      return kernels.nesterov;
    case OptimizerKind::adagrad:
      return kernels.adagrad;
    case OptimizerKind::rmsprop:
      return kernels.rmsprop;
    case OptimizerKind::adamw:
      return kernels.adamw;
    case OptimizerKind::adam:
      break;
  }
  return kernels.adam;
}

}  // namespace

OptimizerKind optimizer_from_name(const std::string& name) {
  using enum OptimizerKind;
  if (name == "sgd") return sgd;
  if (name == "nesterov") return nesterov;
  if (name == "adagrad") return adagrad;
  if (name == "rmsprop") return rmsprop;
  if (name == "adam") return adam;
  if (name == "adamw") return adamw;
  throw TrainerError(
      protocol::TrainerFailure::spec,
      "optimizer is \"" + name + "\"; known are sgd, nesterov, adagrad, rmsprop, adam and adamw");
}

Optimizer::Optimizer(const OptimizerSettings& settings, at::Tensor weights, at::Tensor gradient)
    : Optimizer(settings, weights, gradient,
                weights.is_cpu() ? Implementation::kernels : Implementation::fused) {}

Optimizer::Optimizer(const OptimizerSettings& settings, at::Tensor weights, at::Tensor gradient,
                     Implementation implementation)
    : settings_(settings),
      implementation_(implementation),
      weights_(std::move(weights)),
      gradient_(std::move(gradient)),
      segments_(segments_of(settings_, weights_.numel())),
      steps_(at::zeros({1}, at::kLong)) {
  switch (settings_.kind) {
    case OptimizerKind::sgd:
      break;
    case OptimizerKind::nesterov:
    case OptimizerKind::rmsprop:
      moments_ = {at::zeros_like(weights_)};
      break;
    case OptimizerKind::adagrad:
      moments_ = {at::full_like(weights_, settings_.initial_accumulator)};
      break;
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      moments_ = {at::zeros_like(weights_), at::zeros_like(weights_)};
      break;
  }
  if (implementation_ == Implementation::fused && !has_fused())
    implementation_ = Implementation::operators;
  if (implementation_ == Implementation::fused)
    steps_on_device_ = at::zeros({}, weights_.options());
  if (implementation_ == Implementation::operators && settings_.decayed) {
    decay_ = at::zeros_like(weights_);
    for (const Segment& s : segments_)
      decay_.narrow(0, s.begin, s.end - s.begin).fill_(s.weight_decay);
  }
}

std::vector<Optimizer::Segment> Optimizer::segments_of(const OptimizerSettings& settings,
                                                       std::int64_t count) {
  if (!settings.decayed || settings.weight_decay == 0) return {{0, count, settings.weight_decay}};
  std::vector<Segment> segments;
  std::int64_t at = 0;
  for (const Range& range : *settings.decayed) {
    if (range.begin > at) segments.push_back({at, range.begin, 0});
    segments.push_back({range.begin, range.end, settings.weight_decay});
    at = range.end;
  }
  if (at < count) segments.push_back({at, count, 0});
  return segments;
}

bool Optimizer::has_fused() const {
  return settings_.kind != OptimizerKind::rmsprop &&
         !(settings_.kind == OptimizerKind::adagrad && settings_.epsilon_in_root);
}

std::vector<at::Tensor> Optimizer::state() const {
  std::vector<at::Tensor> state{steps_};
  state.insert(state.end(), moments_.begin(), moments_.end());
  return state;
}

void Optimizer::step() {
  clip();
  const std::int64_t step = ++*steps_.mutable_data_ptr<std::int64_t>();
  if (implementation_ == Implementation::kernels)
    step_by_kernels(step);
  else if (implementation_ == Implementation::fused)
    step_fused(step);
  else
    step_by_operators(step);
}

void Optimizer::clip() {
  if (settings_.clip_value) gradient_.clamp_(-*settings_.clip_value, *settings_.clip_value);
  if (settings_.clip_norm)
    gradient_.mul_(
        gradient_.norm().add_(1e-6).reciprocal_().mul_(*settings_.clip_norm).clamp_max_(1));
}

void Optimizer::step_by_kernels(std::int64_t step) {
  const OptimizerSettings& s = settings_;
  const OptimizerArguments all{.lr = s.lr,
                               .momentum = s.momentum,
                               .alpha = s.alpha,
                               .beta1 = s.beta1,
                               .beta2 = s.beta2,
                               .epsilon = s.epsilon_in_root ? 0 : s.epsilon,
                               .epsilon_in_root = s.epsilon_in_root ? s.epsilon : 0,
                               .correction1 = 1 - std::pow(s.beta1, static_cast<double>(step)),
                               .correction2 = 1 - std::pow(s.beta2, static_cast<double>(step))};
  const auto kernel = kernel_of(s.kind);
  float* weights = weights_.mutable_data_ptr<float>();
  const float* gradient = gradient_.const_data_ptr<float>();
  float* first = moments_.empty() ? nullptr : moments_[0].mutable_data_ptr<float>();
  float* second = moments_.size() < 2 ? nullptr : moments_[1].mutable_data_ptr<float>();
  at::parallel_for(0, weights_.numel(), 65536, [&](std::int64_t begin, std::int64_t end) {
    for (const Segment& segment : segments_) {
      const std::int64_t from = std::max(begin, segment.begin), to = std::min(end, segment.end);
      if (from >= to) continue;
      OptimizerArguments part = all;
      part.weight_decay = segment.weight_decay;
      part.n = to - from;
      part.weights = weights + from;
      part.gradient = gradient + from;
      part.first = first ? first + from : nullptr;
      part.second = second ? second + from : nullptr;
      kernel(part);
    }
  });
}

// A call for each weight decay that there is, over the parts of the buffer that have it.
void Optimizer::step_fused(std::int64_t step) {
  const OptimizerSettings& s = settings_;
  steps_on_device_.fill_(step);
  std::map<double, std::array<std::vector<at::Tensor>, 5>> by_decay;
  for (const Segment& segment : segments_) {
    auto& [weights, gradients, first, second, steps] = by_decay[segment.weight_decay];
    const auto part = [&](const at::Tensor& buffer) {
      return buffer.narrow(0, segment.begin, segment.end - segment.begin);
    };
    weights.push_back(part(weights_));
    gradients.push_back(part(gradient_));
    if (!moments_.empty()) first.push_back(part(moments_[0]));
    if (moments_.size() > 1) second.push_back(part(moments_[1]));
    steps.push_back(steps_on_device_);
  }
  for (const auto& [decay, lists] : by_decay) {
    const auto& [weights, gradients, first, second, steps] = lists;
    switch (s.kind) {
      case OptimizerKind::sgd:
      case OptimizerKind::nesterov: {
        const bool nesterov = s.kind == OptimizerKind::nesterov;
        at::_fused_sgd_(weights, gradients, first, decay, nesterov ? s.momentum : 0, s.lr,
                        /*dampening=*/0, nesterov, /*maximize=*/false, /*is_first_step=*/false);
        break;
      }
      case OptimizerKind::adagrad:
        at::_fused_adagrad_(weights, gradients, first, steps, s.lr, /*lr_decay=*/0, decay,
                            s.epsilon, /*maximize=*/false);
        break;
      case OptimizerKind::adam:
        at::_fused_adam_(weights, gradients, first, second, {}, steps, s.lr, s.beta1, s.beta2,
                         decay, s.epsilon, /*amsgrad=*/false, /*maximize=*/false);
        break;
      case OptimizerKind::adamw:
        at::_fused_adamw_(weights, gradients, first, second, {}, steps, s.lr, s.beta1, s.beta2,
                          decay, s.epsilon, /*amsgrad=*/false, /*maximize=*/false);
        break;
      case OptimizerKind::rmsprop:
        break;
    }
  }
}

at::Tensor Optimizer::root_of_squares() const {
  return settings_.epsilon_in_root ? moments_[0].add(settings_.epsilon).sqrt_()
                                   : moments_[0].sqrt().add_(settings_.epsilon);
}

void Optimizer::step_by_operators(std::int64_t step) {
  const OptimizerSettings& s = settings_;
  at::Tensor g = gradient_;
  if (s.weight_decay != 0) {
    const bool decoupled = s.kind == OptimizerKind::adamw;
    if (decoupled && decay_.defined())
      weights_.addcmul_(weights_, decay_, -s.lr);
    else if (decoupled)
      weights_.mul_(1 - s.lr * s.weight_decay);
    else
      g = decay_.defined() ? gradient_.addcmul(weights_, decay_)
                           : gradient_.add(weights_, s.weight_decay);
  }
  switch (s.kind) {
    case OptimizerKind::sgd:
      weights_.sub_(g, s.lr);
      break;
    case OptimizerKind::nesterov:
      moments_[0].mul_(s.momentum).add_(g);
      weights_.sub_(g.add(moments_[0], s.momentum), s.lr);
      break;
    case OptimizerKind::adagrad:
      moments_[0].addcmul_(g, g);
      weights_.addcdiv_(g, root_of_squares(), -s.lr);
      break;
    case OptimizerKind::rmsprop:
      moments_[0].mul_(s.alpha).addcmul_(g, g, 1 - s.alpha);
      weights_.addcdiv_(g, root_of_squares(), -s.lr);
      break;
    case OptimizerKind::adam:
    case OptimizerKind::adamw: {
      const double t = static_cast<double>(step);
      const double correction1 = 1 - std::pow(s.beta1, t), correction2 = 1 - std::pow(s.beta2, t);
      moments_[0].mul_(s.beta1).add_(g, 1 - s.beta1);
      moments_[1].mul_(s.beta2).addcmul_(g, g, 1 - s.beta2);
      weights_.addcdiv_(moments_[0],
                        moments_[1].sqrt().div_(std::sqrt(correction2)).add_(s.epsilon),
                        -s.lr / correction1);
      break;
    }
  }
}

}  // namespace windrow::worker
