#include "worker/selftest/trial.h"

#include "worker/state_bytes.h"

namespace windrow::worker {

namespace {

protocol::Json with_model(const std::string& model, const protocol::Json& more) {
  protocol::Json parameters{{"model", model}, {"optimizer", "adamw"}, {"epochs", 3},
                            {"batch", 16},    {"steps_per_epoch", 4}, {"weight_decay", 0.01},
                            {"dropout", 0.1}, {"flip", true},         {"translate", 2}};
  if (model == "resnet") parameters["depth"] = 8;
  if (!more.is_null()) parameters.update(more);
  return parameters;
}

}  // namespace

SmallTrial::SmallTrial(const std::string& model, const protocol::Json& more, at::Device device,
                       const std::string& data_dir)
    : parameters_("cifar10", with_model(model, more)),
      training_(find_task("cifar10").begin(
          {"cifar10", parameters_, /*seed=*/7, device, data_dir, data_})) {}

protocol::Metrics SmallTrial::run_epoch(int epoch, Gang& gang) {
  const Attempt attempt{protocol::Start{}};
  const Send nobody = [](const protocol::FromTrainer&) {};
  Progress progress(attempt, nobody);
  return training_->run_epoch(epoch, gang, progress);
}

std::vector<at::Tensor> SmallTrial::state() {
  std::vector<at::Tensor> state = training_->weights();
  for (at::Tensor& tensor : training_->optimizer_state()) state.push_back(std::move(tensor));
  return state;
}

std::string SmallTrial::hash() {
  return state_hash(bytes_of(state()));
}

}  // namespace windrow::worker
