// A task: model, data, loss and metrics. Each is one file in this folder and one line in
// registry.cpp; its parameters and metrics are declared in sweeps/tasks/ (docs/extending.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/messages.h"
#include "worker/data/data_cache.h"
#include "worker/gang/gang.h"
#include "worker/models/weights.h"
#include "worker/parameters.h"
#include "worker/progress.h"

namespace windrow::worker {

// One trial in training. What it does is a function of its parameters, its seed and its state, so
// that a training that is restored goes on as if it had never been left.
class Training {
 public:
  virtual ~Training() = default;

  virtual int epochs() const = 0;

  // Facts known before training, for Started.info.
  virtual protocol::Json facts() const = 0;

  // What the data are, where the parameters don't say it by themselves (a file may change): a trial
  // goes on from a checkpoint of the same data only.
  virtual std::string data_hash() const { return ""; }

  // How many members a gang may have.
  virtual int shards() const { return 1; }

  // Whether it can use any number of CPU threads, which changes no bit.
  virtual bool takes_threads() const { return false; }

  // Trains epoch `epoch` (from 1) and evaluates. The metrics are those of the task's table; a loss
  // that is NaN is reported as such. All members of the gang do it together, from equal states, to
  // equal states and metrics. Calls progress.step() within its steps.
  virtual protocol::Metrics run_epoch(int epoch, Gang& gang, Progress& progress) = 0;

  // The trial's result. `metrics` are those of the epoch after which the weights were as they are
  // now.
  virtual protocol::Metrics result(const protocol::Metrics& metrics, Progress&) { return metrics; }

  // What else is worth keeping of the finished trial, by name, with the weights as they are now;
  // `just_evaluated` tells that they are those with which run_epoch() ended last.
  virtual protocol::Json artefacts([[maybe_unused]] bool just_evaluated, Progress&) {
    return protocol::Json::object();
  }

  // The whole state between epochs, in a fixed order and with fixed sizes: contiguous tensors that
  // share their data with the training's own. Writing into them restores the training.
  virtual std::vector<at::Tensor> weights() = 0;  // what restoring the best epoch brings back
  // What is where in weights(), for those who export them; empty: it can't be told.
  virtual std::vector<Weights::Place> layout() const { return {}; }
  virtual std::vector<at::Tensor> optimizer_state() = 0;
};

struct TrainingContext {
  std::string task;
  const Parameters& parameters;
  std::int64_t seed;
  at::Device device;
  std::string data_dir;  // "" where none was given
  DataCache& data;
};

struct Task {
  std::string name;
  // Throws TrainerError{data} where the data can't be had.
  std::function<std::unique_ptr<Training>(const TrainingContext& context)> begin;
};

const std::vector<Task>& tasks();

// Throws TrainerError{spec} where there is no such task.
const Task& find_task(const std::string& name);

}  // namespace windrow::worker
