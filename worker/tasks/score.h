// Loss, errors and confusion of a classifier over batches of images, summed on the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "protocol/messages.h"
#include "worker/gang/gang.h"

namespace windrow::worker {

class Score {
 public:
  // Of `parts` batches or shards of them, which are added up in their order, whoever had them.
  Score(at::Device device, std::int64_t classes, std::int64_t parts);

  // Part number `part`, from 0: its mean loss (a scalar), logits [n, classes] and labels int64 [n].
  // Doesn't wait for the device.
  void add(std::int64_t part, const at::Tensor& mean_loss, const at::Tensor& logits,
           const at::Tensor& labels);

  // PREFIX_loss, PREFIX_top1_error and PREFIX_top5_error, means over all images that the members of
  // the gang added. An image is an error of the top k when k or more classes come before its own:
  // those of a higher logit, and among equals the earlier ones, so that the top-1 class is the
  // predicted one. Logits that are NaN are errors. Waits for the device.
  protocol::Metrics metrics(const std::string& prefix, Gang& gang) const;

 private:
  at::Tensor parts_;    // double [parts, 4], on the device: loss, top-1 and top-5 errors, images
  at::Tensor classes_;  // int64 [classes]: 0, 1, ...
};

// Images by class (row) and predicted class (column), the one of the highest logit.
class Confusion {
 public:
  Confusion(at::Device device, std::int64_t classes);

  void add(const at::Tensor& logits, const at::Tensor& labels);  // doesn't wait for the device

  void add_up(Gang& gang) { gang.sum(counts_); }  // what all members added

  // A list of rows. Waits for the device.
  protocol::Json counts() const;

 private:
  at::Tensor counts_;  // int64 [classes, classes]
};

}  // namespace windrow::worker
