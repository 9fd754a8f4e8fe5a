#include "worker/tasks/score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace windrow::worker {

Score::Score(at::Device device, std::int64_t classes)
    : sums_(at::zeros({3}, at::TensorOptions(at::kDouble).device(device))),
      classes_(at::arange(classes, at::TensorOptions(at::kLong).device(device))) {}

void Score::add(const at::Tensor& mean_loss, const at::Tensor& logits, const at::Tensor& labels) {
  const std::int64_t n = labels.numel();
  images_ += n;
  const at::Tensor label = labels.unsqueeze(1), own = logits.detach().gather(1, label);
  // By what is certain to come after, so that a NaN comes before.
  const at::Tensor after =
      own.gt(logits).logical_or_(own.eq(logits).logical_and_(classes_.gt(label)));
  const at::Tensor before = classes_.numel() - 1 - after.sum(1);
  const at::Tensor loss = mean_loss.detach().to(at::kDouble) * static_cast<double>(n);
  sums_.add_(
      at::stack({loss, before.ge(1).sum().to(at::kDouble), before.ge(5).sum().to(at::kDouble)}));
}

protocol::Metrics Score::metrics(const std::string& prefix) const {
  const at::Tensor sums = sums_.to(at::kCPU);
  const auto mean = [&](std::int64_t i) {
    return sums.const_data_ptr<double>()[i] / static_cast<double>(images_);
  };
  return {{prefix + "_loss", mean(0)},
          {prefix + "_top1_error", mean(1)},
          {prefix + "_top5_error", mean(2)}};
}

Confusion::Confusion(at::Device device, std::int64_t classes)
    : counts_(at::zeros({classes, classes}, at::TensorOptions(at::kLong).device(device))) {}

void Confusion::add(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor cell = labels * counts_.size(1) + logits.argmax(1);
  counts_.view(-1).scatter_add_(0, cell, at::ones_like(cell));
}

protocol::Json Confusion::counts() const {
  const at::Tensor counts = counts_.to(at::kCPU);
  const auto* from = counts.const_data_ptr<std::int64_t>();
  protocol::Json rows = protocol::Json::array();
  for (std::int64_t row = 0; row < counts.size(0); ++row, from += counts.size(1))
    rows.push_back(std::vector<std::int64_t>(from, from + counts.size(1)));
  return rows;
}

}  // namespace windrow::worker
