// windrow-bench-worker: how long a training step takes, a JSON object a line.
//
//   windrow-bench-worker [--threads N] [--seconds S] [NAME...]
//
// Names: setnet-<depth>x<width> (µs a step: 300 sets, backward and Adam) and cnn5x5, cnn3, resnet9
// and resnet20 (images a second: the study's batch, backward and Adam). Without names: all. The
// median of several rounds.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randint.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "worker/data/choice_sets.h"
#include "worker/data/cifar10.h"
#include "worker/device/host_memory.h"
#include "worker/models/image_model.h"
#include "worker/models/setnet.h"
#include "worker/optim/optimizer.h"
#include "worker/parameters.h"

namespace {

using namespace windrow::worker;
using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 3, kRounds = 5;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The median over rounds of the seconds that one call of `step` takes. Where a step alone takes
// longer than a round should, there are fewer of them.
double seconds_a_step(const std::function<void()>& step, double seconds) {
  const auto warm_up = Clock::now();
  for (int i = 0; i < kWarmUp && seconds_since(warm_up) <= seconds; ++i) step();
  std::vector<double> rounds;
  const auto start = Clock::now();
  while (rounds.size() < kRounds && (rounds.empty() || seconds_since(start) < 2 * seconds)) {
    const auto begin = Clock::now();
    int steps = 0;
    do {
      step();
      ++steps;
    } while (seconds_since(begin) < seconds / kRounds);
    rounds.push_back(seconds_since(begin) / steps);
  }
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
  std::nth_element(rounds.begin(), middle, rounds.end());
  return *middle;
}

OptimizerSettings adam() {
  return {.kind = OptimizerKind::adam, .lr = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-3};
}

double setnet_microseconds(std::int64_t depth, std::int64_t width, double seconds) {
  constexpr std::int64_t kSets = 180000, kBatch = 300;
  const ChoiceSets data = generate_choice_sets(0, ChoicePart::training, kSets, 5, 3);
  const SetnetShape shape{.depth = depth, .width = width};
  Weights weights(at::kCPU, 0);
  add_setnet_weights(shape, weights);
  const auto model = make_setnet(shape, weights);
  Optimizer optimizer(adam(), weights.flat(), weights.flat_gradient());
  std::vector<std::int64_t> order =
      random_order(RandomStream(0, 1, Purpose::data_order), kSets, kSets);
  const at::Tensor indices = at::from_blob(order.data(), {kSets}, at::kLong);
  std::int64_t at = 0;
  const auto step = [&] {
    model->gradient(data, indices.narrow(0, at, kBatch));
    optimizer.step();
    at = (at + kBatch) % kSets;
  };
  return 1e6 * seconds_a_step(step, seconds);
}

// Models of images and their batches in the shipped studies.
struct ImageBenchmark {
  const char* model;
  std::int64_t batch;
  double dropout;
};
constexpr ImageBenchmark kImageBenchmarks[] = {
    {"cnn5x5", 128, 0}, {"cnn3", 32, 0.25}, {"resnet9", 400, 0}, {"resnet20", 128, 0.1}};

double images_a_second(const ImageBenchmark& benchmark, double seconds) {
  constexpr std::int64_t kImages = 4096;
  const at::Tensor images = at::randint(256, {kImages, 3, 32, 32}, at::kByte);
  const at::Tensor labels = at::randint(10, {kImages}, at::kLong);
  const Parameters parameters("cifar10", {{"model", benchmark.model},
                                          {"optimizer", "adam"},
                                          {"dropout", benchmark.dropout},
                                          {"epochs", 1}});
  Weights weights(at::kCPU, 0);
  const auto model = make_image_model(benchmark.model, parameters, weights);
  weights.allocate(/*autograd=*/true);
  Optimizer optimizer(adam(), weights.flat(), weights.flat_gradient());
  std::vector<std::int64_t> order =
      random_order(RandomStream(0, 1, Purpose::data_order), kImages, kImages);
  const at::Tensor indices = at::from_blob(order.data(), {kImages}, at::kLong);
  Pass pass{.training = true};
  const auto step = [&] {
    const std::int64_t at = pass.step++ % (kImages / benchmark.batch) * benchmark.batch;
    const at::Tensor batch = indices.narrow(0, at, benchmark.batch);
    weights.flat_gradient().zero_();
    at::cross_entropy_loss(model->forward(normalized_batch(images, batch), pass),
                           labels.index_select(0, batch))
        .backward();
    optimizer.step();
  };
  return static_cast<double>(benchmark.batch) / seconds_a_step(step, seconds);
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("{\"benchmark\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name.c_str(), value,
              unit);
  std::fflush(stdout);
}

bool run(const std::string& name, double seconds) {
  int depth = 0, width = 0;
  for (const ImageBenchmark& benchmark : kImageBenchmarks)
    if (name == benchmark.model) {
      print(name, images_a_second(benchmark, seconds), "images/s");
      return true;
    }
  if (std::sscanf(name.c_str(), "setnet-%dx%d", &depth, &width) == 2) {
    print(name, setnet_microseconds(depth, width, seconds), "us/step");
  } else {
    std::fprintf(stderr,
                 "windrow-bench-worker: unknown benchmark '%s'; known are "
                 "setnet-<depth>x<width>, cnn5x5, cnn3, resnet9 and resnet20\n",
                 name.c_str());
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1;
  double seconds = 1;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--threads") && i + 1 < argc) {
      threads = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else {
      names.push_back(argv[i]);
    }
  }
  if (names.empty())
    names = {"setnet-3x100", "setnet-3x200", "setnet-3x10", "setnet-2x10",
             "setnet-2x200", "setnet-2x100", "setnet-3x5",  "setnet-5x2",
             "cnn5x5",       "cnn3",         "resnet9",     "resnet20"};
  keep_freed_memory();
  at::set_num_threads(threads);
  bool known = true;
  for (const std::string& name : names) known = run(name, seconds) && known;
  return known ? 0 : 2;
}
