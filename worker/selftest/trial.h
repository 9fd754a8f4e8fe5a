// A short trial of task cifar10 as the self-test trains it.
#pragma once

#include <memory>
#include <string>

#include "worker/tasks/task.h"

namespace windrow::worker {

class SmallTrial {
 public:
  // `more`: parameters beside the model's. Trains on images of `data_dir`.
  SmallTrial(const std::string& model, const protocol::Json& more, at::Device device,
             const std::string& data_dir);

  protocol::Metrics run_epoch(int epoch, Gang& gang);
  protocol::Metrics run_epoch(int epoch) { return run_epoch(epoch, *make_solo()); }
  std::vector<at::Tensor> state();
  std::string hash();

 private:
  Parameters parameters_;
  DataCache data_;
  std::unique_ptr<Training> training_;
};

}  // namespace windrow::worker
