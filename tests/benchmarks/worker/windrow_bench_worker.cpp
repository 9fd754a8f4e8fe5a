// windrow-bench-worker: how long a training step takes, a JSON object a line.
//
//   windrow-bench-worker [--device cpu|cuda] [--threads N] [--seconds S] [NAME...]
//
// Names: setnet-<depth>x<width> (µs a step: 300 sets, backward and Adam) and cnn5x5, cnn3, resnet9
// and resnet20 (images a second: the study's batch, backward and Adam), evaluation (its share of a
// P1 epoch) and augmentation (its share of a resnet20 step). Without names: all. The median of
// several rounds.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randint.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "worker/data/augmentation.h"
#include "worker/data/choice_sets.h"
#include "worker/data/cifar10.h"
#include "worker/device/device.h"
#include "worker/device/host_memory.h"
#include "worker/device/numerics.h"
#include "worker/models/image_model.h"
#include "worker/models/setnet.h"
#include "worker/optim/optimizer.h"
#include "worker/parameters.h"

namespace {

using namespace windrow::worker;
using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 3, kRounds = 5;

struct Settings {
  at::Device device = at::kCPU;
  double seconds = 1;  // of a measurement
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The median over rounds of the seconds that one call of `step` takes, the device's work included.
// Where a step alone takes longer than a round should, there are fewer of them.
double seconds_a_step(const std::function<void()>& step, const Settings& settings) {
  const double seconds = settings.seconds;
  const auto warm_up = Clock::now();
  for (int i = 0; i < kWarmUp && seconds_since(warm_up) <= seconds; ++i) step();
  wait_for(settings.device);
  std::vector<double> rounds;
  const auto start = Clock::now();
  while (rounds.size() < kRounds && (rounds.empty() || seconds_since(start) < 2 * seconds)) {
    const auto begin = Clock::now();
    int steps = 0;
    do {
      step();
      ++steps;
    } while (seconds_since(begin) < seconds / kRounds);
    wait_for(settings.device);
    rounds.push_back(seconds_since(begin) / steps);
  }
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
  std::nth_element(rounds.begin(), middle, rounds.end());
  return *middle;
}

OptimizerSettings adam() {
  return {.kind = OptimizerKind::adam, .lr = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-3};
}

double setnet_microseconds(std::int64_t depth, std::int64_t width, const Settings& settings) {
  constexpr std::int64_t kSets = 180000, kBatch = 300;
  const ChoiceSets host = generate_choice_sets(0, ChoicePart::training, kSets, 5, 3);
  const ChoiceSets data{host.x.to(settings.device), host.choice.to(settings.device)};
  const SetnetShape shape{.depth = depth, .width = width};
  Weights weights(settings.device, 0);
  add_setnet_weights(shape, weights);
  const auto model = make_setnet(shape, weights);
  Optimizer optimizer(adam(), weights.flat(), weights.flat_gradient());
  std::vector<std::int64_t> order =
      random_order(RandomStream(0, 1, Purpose::data_order), kSets, kSets);
  const at::Tensor indices = at::from_blob(order.data(), {kSets}, at::kLong).to(settings.device);
  std::int64_t at = 0;
  const auto step = [&] {
    model->gradient(data, indices.narrow(0, at, kBatch));
    optimizer.step();
    at = (at + kBatch) % kSets;
  };
  return 1e6 * seconds_a_step(step, settings);
}

// Models of images as the shipped studies train them.
struct ImageBenchmark {
  const char* name;
  const char* model;
  std::int64_t batch;
  double dropout;
};
constexpr ImageBenchmark kImageBenchmarks[] = {{"cnn5x5", "cnn5x5", 128, 0},
                                               {"cnn3", "cnn3", 32, 0.3},
                                               {"resnet9", "resnet9", 400, 0},
                                               {"resnet20", "resnet", 128, 0.1}};

// A model on made-up images.
class ImageTraining {
 public:
  ImageTraining(const ImageBenchmark& benchmark, at::Device device)
      : batch_(benchmark.batch),
        images_(at::randint(256, {kImages, 3, 32, 32}, at::kByte).to(device)),
        labels_(at::randint(10, {kImages}, at::kLong).to(device)),
        weights_(device, 0) {
    std::vector<std::int64_t> order =
        random_order(RandomStream(0, 1, Purpose::data_order), kImages, kImages);
    order_ = at::from_blob(order.data(), {kImages}, at::kLong).clone().to(device);
    declare_numerics(device, Precision::float32);
    const Parameters parameters("cifar10", {{"model", benchmark.model},
                                            {"optimizer", "adam"},
                                            {"dropout", benchmark.dropout},
                                            {"epochs", 1}});
    model_ = make_image_model(benchmark.model, parameters, weights_);
    weights_.allocate(/*autograd=*/true);
    optimizer_ = std::make_unique<Optimizer>(adam(), weights_.flat(), weights_.flat_gradient());
  }

  std::int64_t batch() const { return batch_; }

  // The images of one step.
  at::Tensor indices(std::int64_t step) const {
    const std::int64_t at = step % (kImages / batch_) * batch_;
    return order_.narrow(0, at, batch_);
  }

  void step() {
    const at::Tensor batch = indices(pass_.step++);
    const at::Tensor logits = model_->forward(normalized_batch(images_, batch), pass_);
    const at::Tensor loss = at::cross_entropy_loss(logits, labels_.index_select(0, batch));
    weights_.flat_gradient().zero_();
    loss.backward();
    optimizer_->step();
  }

  void evaluate(std::int64_t images) {
    const at::NoGradGuard no_gradients;
    const at::Tensor first = at::arange(images, labels_.options());
    at::cross_entropy_loss(model_->forward(normalized_batch(images_, first), Pass{}),
                           labels_.narrow(0, 0, images));
  }

  // As the most augmented model has it.
  void augment() {
    const Augmentation all{.flip = true, .translate = 3, .rotate = 15, .zoom = 0.1};
    const at::Tensor poses = draw_poses(all, 0, 1, batch_).to(images_.device());
    augmented_batch(images_, indices(pass_.step++), poses, all.interpolates());
  }

 private:
  static constexpr std::int64_t kImages = 4096;
  std::int64_t batch_;
  at::Tensor images_, labels_, order_;
  Weights weights_;
  std::unique_ptr<ImageModel> model_;
  std::unique_ptr<Optimizer> optimizer_;
  Pass pass_{.training = true};
};

double images_a_second(const ImageBenchmark& benchmark, const Settings& settings) {
  ImageTraining training(benchmark, settings.device);
  return static_cast<double>(training.batch()) / seconds_a_step([&] { training.step(); }, settings);
}

// The share of P1's epoch, of 6400 images in training and 10000 in evaluation, that is evaluation.
double evaluation_percent(Settings settings) {
  constexpr std::int64_t kEvaluationBatch = 500;
  settings.seconds /= 2;
  ImageTraining training(kImageBenchmarks[0], settings.device);
  const double step = seconds_a_step([&] { training.step(); }, settings);
  const double evaluation = seconds_a_step([&] { training.evaluate(kEvaluationBatch); }, settings);
  const double training_seconds = step * 6400 / static_cast<double>(training.batch());
  const double evaluation_seconds = evaluation * 10000 / kEvaluationBatch;
  return 100 * evaluation_seconds / (training_seconds + evaluation_seconds);
}

// The share of a step that goes into making its batch, augmented.
double augmentation_percent(Settings settings) {
  settings.seconds /= 2;
  ImageTraining training(kImageBenchmarks[3], settings.device);
  const double step = seconds_a_step([&] { training.step(); }, settings);
  const double augment = seconds_a_step([&] { training.augment(); }, settings);
  return 100 * augment / (step + augment);
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("{\"benchmark\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name.c_str(), value,
              unit);
  std::fflush(stdout);
}

bool run(const std::string& name, const Settings& settings) {
  int depth = 0, width = 0;
  for (const ImageBenchmark& benchmark : kImageBenchmarks)
    if (name == benchmark.name) {
      print(name, images_a_second(benchmark, settings), "images/s");
      return true;
    }
  if (name == "evaluation") {
    print(name, evaluation_percent(settings), "%");
  } else if (name == "augmentation") {
    print(name, augmentation_percent(settings), "%");
  } else if (std::sscanf(name.c_str(), "setnet-%dx%d", &depth, &width) == 2) {
    print(name, setnet_microseconds(depth, width, settings), "us/step");
  } else {
    std::fprintf(stderr,
                 "windrow-bench-worker: unknown benchmark '%s'; known are "
                 "setnet-<depth>x<width>, cnn5x5, cnn3, resnet9, resnet20, evaluation and "
                 "augmentation\n",
                 name.c_str());
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1;
  Settings settings;
  std::string device = "cpu";
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--threads") && i + 1 < argc) {
      threads = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc) {
      settings.seconds = std::atof(argv[++i]);
    } else if (!std::strcmp(argv[i], "--device") && i + 1 < argc) {
      device = argv[++i];
    } else {
      names.push_back(argv[i]);
    }
  }
  if (names.empty())
    names = {"setnet-3x100", "setnet-3x200", "setnet-3x10", "setnet-2x10",
             "setnet-2x200", "setnet-2x100", "setnet-3x5",  "setnet-5x2",
             "cnn5x5",       "cnn3",         "resnet9",     "resnet20"};
  keep_freed_memory();
  try {
    settings.device = open_device(device, threads);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "windrow-bench-worker: %s\n", error.what());
    return 2;
  }
  bool known = true;
  for (const std::string& name : names) known = run(name, settings) && known;
  return known ? 0 : 2;
}
