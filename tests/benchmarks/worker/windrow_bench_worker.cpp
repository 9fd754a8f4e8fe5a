// windrow-bench-worker: how long a training step takes, a JSON object a line.
//
//   windrow-bench-worker [--threads N] [--seconds S] [NAME...]
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
  explicit ImageTraining(const ImageBenchmark& benchmark)
      : batch_(benchmark.batch),
        order_(random_order(RandomStream(0, 1, Purpose::data_order), kImages, kImages)) {
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
    return at::from_blob(const_cast<std::int64_t*>(order_.data()) + at, {batch_}, at::kLong);
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
    const at::Tensor first = at::arange(images, at::kLong);
    at::cross_entropy_loss(model_->forward(normalized_batch(images_, first), Pass{}),
                           labels_.narrow(0, 0, images));
  }

  // As the most augmented model has it.
  void augment() {
    const Augmentation all{.flip = true, .translate = 3, .rotate = 15, .zoom = 0.1};
    const at::Tensor poses = draw_poses(all, 0, 1, batch_);
    augmented_batch(images_, indices(pass_.step++), poses, all.interpolates());
  }

 private:
  static constexpr std::int64_t kImages = 4096;
  std::int64_t batch_;
  at::Tensor images_ = at::randint(256, {kImages, 3, 32, 32}, at::kByte);
  at::Tensor labels_ = at::randint(10, {kImages}, at::kLong);
  std::vector<std::int64_t> order_;
  Weights weights_{at::kCPU, 0};
  std::unique_ptr<ImageModel> model_;
  std::unique_ptr<Optimizer> optimizer_;
  Pass pass_{.training = true};
};

double images_a_second(const ImageBenchmark& benchmark, double seconds) {
  ImageTraining training(benchmark);
  return static_cast<double>(training.batch()) / seconds_a_step([&] { training.step(); }, seconds);
}

// The share of P1's epoch, of 6400 images in training and 10000 in evaluation, that is evaluation.
double evaluation_percent(double seconds) {
  constexpr std::int64_t kEvaluationBatch = 500;
  ImageTraining training(kImageBenchmarks[0]);
  const double step = seconds_a_step([&] { training.step(); }, seconds / 2);
  const double evaluation =
      seconds_a_step([&] { training.evaluate(kEvaluationBatch); }, seconds / 2);
  const double training_seconds = step * 6400 / static_cast<double>(training.batch());
  const double evaluation_seconds = evaluation * 10000 / kEvaluationBatch;
  return 100 * evaluation_seconds / (training_seconds + evaluation_seconds);
}

// The share of a step that goes into making its batch, augmented.
double augmentation_percent(double seconds) {
  ImageTraining training(kImageBenchmarks[3]);
  const double step = seconds_a_step([&] { training.step(); }, seconds / 2);
  const double augment = seconds_a_step([&] { training.augment(); }, seconds / 2);
  return 100 * augment / (step + augment);
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("{\"benchmark\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name.c_str(), value,
              unit);
  std::fflush(stdout);
}

bool run(const std::string& name, double seconds) {
  int depth = 0, width = 0;
  for (const ImageBenchmark& benchmark : kImageBenchmarks)
    if (name == benchmark.name) {
      print(name, images_a_second(benchmark, seconds), "images/s");
      return true;
    }
  if (name == "evaluation") {
    print(name, evaluation_percent(seconds), "%");
  } else if (name == "augmentation") {
    print(name, augmentation_percent(seconds), "%");
  } else if (std::sscanf(name.c_str(), "setnet-%dx%d", &depth, &width) == 2) {
    print(name, setnet_microseconds(depth, width, seconds), "us/step");
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
