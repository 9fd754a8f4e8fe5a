#include "worker/tasks/score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <array>

namespace windrow::worker {

Score::Score(at::Device device, std::int64_t classes, std::int64_t parts)
    : parts_(at::zeros({parts, 4}, at::TensorOptions(at::kDouble).device(device))),
      classes_(at::arange(classes, at::TensorOptions(at::kLong).device(device))) {}

void Score::add(std::int64_t part, const at::Tensor& mean_loss, const at::Tensor& logits,
                const at::Tensor& labels) {
  const std::int64_t n = labels.numel();
  const at::Tensor label = labels.unsqueeze(1), own = logits.detach().gather(1, label);
  // By what is certain to come after, so that a NaN comes before.
  const at::Tensor after =
      own.gt(logits).logical_or_(own.eq(logits).logical_and_(classes_.gt(label)));
  const at::Tensor before = classes_.numel() - 1 - after.sum(1);
  const at::Tensor row = parts_.select(0, part);
  row.narrow(0, 0, 3).copy_(
      at::stack({mean_loss.detach().to(at::kDouble) * static_cast<double>(n),
                 before.ge(1).sum().to(at::kDouble), before.ge(5).sum().to(at::kDouble)}));
  row.narrow(0, 3, 1).fill_(n);
}

protocol::Metrics Score::metrics(const std::string& prefix, Gang& gang) const {
  gang.sum(parts_);
  const at::Tensor parts = parts_.to(at::kCPU);
  std::array<double, 4> sums{};
  const double* value = parts.const_data_ptr<double>();
  for (std::int64_t part = 0; part < parts.size(0); ++part)
    for (double& sum : sums) sum += *value++;
  return {{prefix + "_loss", sums[0] / sums[3]},
          {prefix + "_top1_error", sums[1] / sums[3]},
          {prefix + "_top5_error", sums[2] / sums[3]}};
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
