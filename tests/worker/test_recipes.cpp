// The recipes of P1 and P2, as their study files have them, against PyTorch: the same images, in
// the same order and poses, through the models' definitions and PyTorch's own losses and
// optimizers. Of each of twenty steps the losses and the change of the weights are compared.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include "sweeps/study.h"
#include "tests/worker/reference_models.h"
#include "tests/worker/support.h"
#include "worker/data/augmentation.h"
#include "worker/data/cifar10.h"
#include "worker/data/epoch_order.h"

namespace windrow::worker {
namespace {

using protocol::Json;
using protocol::Metrics;

constexpr std::int64_t kSeed = 3;

Metrics epoch_of(Training& training, int epoch) {
  protocol::Start start;
  start.device = "cpu";
  const Attempt attempt(start);
  const Send ignore = [](const protocol::FromTrainer&) {};
  Progress progress(attempt, ignore);
  return training.run_epoch(epoch, *make_solo(), progress);
}

// PyTorch's optimizer of the parameters' name, with their constants.
class TorchOptimizer {
 public:
  TorchOptimizer(const Parameters& p, const std::map<std::string, at::Tensor>& leaves) : p_(p) {
    for (const auto& [name, leaf] : leaves) leaves_.push_back(leaf);
    const bool all = p.string("decay") == "all";
    std::vector<at::Tensor> decayed, others;
    for (const at::Tensor& leaf : leaves_)
      (all || leaf.dim() > 1 ? decayed : others).push_back(leaf);
    make({decayed, others});
  }

  void step(double lr) {
    if (const auto limit = p_.number_or_null("clip_value"))
      for (const at::Tensor& leaf : leaves_) leaf.mutable_grad().clamp_(-*limit, *limit);
    if (const auto limit = p_.number_or_null("clip_norm")) {
      double square = 0;
      for (const at::Tensor& leaf : leaves_) square += leaf.grad().square().sum().item<double>();
      const double scale = std::min(1.0, *limit / (std::sqrt(square) + 1e-6));
      for (const at::Tensor& leaf : leaves_) leaf.mutable_grad().mul_(scale);
    }
    for (auto& group : optimizer_->param_groups()) group.options().set_lr(lr);
    optimizer_->step();
    for (const at::Tensor& leaf : leaves_) leaf.mutable_grad().zero_();
  }

 private:
  // Weight decay is the first group's alone.
  void make(const std::vector<std::vector<at::Tensor>>& groups) {
    using namespace torch::optim;
    const std::string name = p_.string("optimizer");
    const double lr = p_.number("lr"), decay = p_.number("weight_decay");
    const double momentum = p_.number("momentum"), alpha = p_.number("alpha");
    const double accumulator = p_.number("initial_accumulator");
    const std::tuple betas(p_.number("beta1"), p_.number("beta2"));
    const auto epsilon = p_.number_or_null("epsilon");
    const auto with = [&](auto options, auto make_options) {
      std::vector<OptimizerParamGroup> parts;
      for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i].empty()) continue;
        auto own = std::make_unique<decltype(options)>(options);
        own->weight_decay(i == 0 ? decay : 0);
        parts.emplace_back(groups[i], std::move(own));
      }
      optimizer_ = make_options(std::move(parts), options);
    };
    const auto made = [&]<class O>(std::type_identity<O>) {
      return [](std::vector<OptimizerParamGroup> parts, auto options) {
        return std::make_unique<O>(std::move(parts), options);
      };
    };
    if (name == "sgd") return with(SGDOptions(lr), made(std::type_identity<SGD>()));
    if (name == "nesterov")
      return with(SGDOptions(lr).momentum(momentum).nesterov(true),
                  made(std::type_identity<SGD>()));
    // Where the study is silent, the constants are PyTorch's own.
    if (name == "adagrad") {
      auto options = AdagradOptions(lr).initial_accumulator_value(accumulator);
      if (epsilon) options.eps(*epsilon);
      return with(options, made(std::type_identity<Adagrad>()));
    }
    if (name == "rmsprop") {
      auto options = RMSpropOptions(lr).alpha(alpha);
      if (epsilon) options.eps(*epsilon);
      return with(options, made(std::type_identity<RMSprop>()));
    }
    if (name == "adam") {
      auto options = AdamOptions(lr).betas(betas);
      if (epsilon) options.eps(*epsilon);
      return with(options, made(std::type_identity<Adam>()));
    }
    ASSERT_EQ(name, "adamw");
    auto options = AdamWOptions(lr).betas(betas);
    if (epsilon) options.eps(*epsilon);
    with(options, made(std::type_identity<AdamW>()));
  }

  const Parameters& p_;
  std::vector<at::Tensor> leaves_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

class Recipes : public testing::Test {
 protected:
  void SetUp() override { test::write_small_cifar10(folder_.path(), 20); }

  std::unique_ptr<Training> training(const Parameters& parameters) {
    return find_task("cifar10").begin(
        {"cifar10", parameters, kSeed, at::kCPU, folder_.path(), data_});
  }

  // Epochs of one step each: the losses in training and on the test images, and what the step does
  // to the weights. PyTorch begins each step from our weights, with the moments of its own steps
  // before: left to themselves, two trainings part by rounding alone, which the first steps of
  // adam, rmsprop and adagrad make as large as any gradient. So in one step too a weight whose
  // gradient is nothing but rounding may go either way: `tolerance` is for few of these, as a share
  // of the change by the norm. A larger epsilon stills them.
  void expect_steps_of_torch(Json given, int steps, double tolerance) {
    given["batch"] = 8;
    given["steps_per_epoch"] = 1;
    given["epochs"] = steps;
    SCOPED_TRACE(given.dump());
    const Parameters p("cifar10", given);
    const auto ours = training(p);
    const std::string name = p.string("model");
    Weights weights(at::kCPU, kSeed);
    const auto model = make_image_model(name, p, weights);
    weights.allocate(false);
    test::ReferenceModel reference(p, weights);
    const auto take_ours = [&] {
      const std::vector<at::Tensor> from = ours->weights(), to = weights.state();
      for (std::size_t i = 0; i < from.size(); ++i) to[i].copy_(from[i]);
      reference.take_values();
    };
    const Cifar10 images = read_cifar10(folder_.path());
    const Augmentation augmentation{.flip = p.boolean("flip"),
                                    .translate = p.integer("translate"),
                                    .rotate = p.number("rotate"),
                                    .zoom = p.number("zoom")};
    std::optional<TorchOptimizer> optimizer;
    for (int epoch = 1; epoch <= steps; ++epoch) {
      take_ours();
      const at::Tensor before = weights.flat().clone();
      const Metrics metrics = epoch_of(*ours, epoch);
      const std::int64_t count = images.training.labels.numel();
      const at::Tensor indices = epoch_order(kSeed, epoch, count, 8, at::kCPU);
      const at::Tensor batch = augmented_batch_by_operators(
          images.training.images, indices, draw_poses(augmentation, kSeed, epoch, 8),
          augmentation.interpolates());
      const at::Tensor loss =
          at::cross_entropy_loss(reference.forward(batch, {true, kSeed, epoch}),
                                 images.training.labels.index_select(0, indices));
      loss.backward();
      if (!optimizer) optimizer.emplace(p, reference.leaves());
      optimizer->step(metrics.at("learning_rate"));
      expect_loss(metrics.at("train_loss"), loss.item<double>(), "in training", epoch);
      const at::Tensor theirs = flat_of(reference, weights);
      take_ours();
      const double size = (theirs - before).norm().item<double>();
      const double difference = (weights.flat() - theirs).norm().item<double>();
      ASSERT_LT(difference, tolerance * size) << "step " << epoch;
      const at::NoGradGuard no_gradients;
      const at::Tensor all = at::arange(images.test.labels.numel(), at::kLong);
      const at::Tensor logits =
          reference.forward(normalized_batch(images.test.images, all), Pass{});
      expect_loss(metrics.at("val_loss"),
                  at::cross_entropy_loss(logits, images.test.labels).item<double>(),
                  "on the test images", epoch);
    }
  }

  static void expect_loss(double ours, double theirs, const char* what, int epoch) {
    EXPECT_NEAR(ours, theirs, 1e-4 * (1 + theirs)) << what << ", step " << epoch;
  }

  // The reference's weights, in the order of `weights`.
  static at::Tensor flat_of(const test::ReferenceModel& reference, Weights& weights) {
    for (const auto& [name, leaf] : reference.leaves()) weights[name].copy_(leaf.detach());
    return weights.flat().clone();
  }

  void expect_cells_of(const char* study, std::size_t cells) {
    const sweeps::Study parsed =
        sweeps::load_study(std::filesystem::path(WINDROW_SOURCE_DIR) / "sweeps/studies" / study);
    std::size_t compared = 0;
    for (const sweeps::Cell& cell : sweeps::expand(parsed).cells) {
      // PyTorch has no such form: test_optimizers.cpp holds it to its formula.
      if (cell.parameters.value("epsilon_in_root", false)) continue;
      expect_steps_of_torch(cell.parameters, 20, 0.1);
      ++compared;
    }
    EXPECT_EQ(compared, cells);
  }

  test::TemporaryFolder folder_;
  DataCache data_;
};

TEST_F(Recipes, OfP1TakeTheStepsOfPyTorch) {
  expect_cells_of("p1.yaml", 10);
}

TEST_F(Recipes, OfP2TakeTheStepsOfPyTorch) {
  expect_cells_of("p2.yaml", 3);
}

// No two constants have the same value, and each is far from its default: one that came to the
// wrong place would show.
TEST_F(Recipes, EveryConstantOfAnOptimizerComesToItsPlace) {
  const Json constants{{"momentum", 0.7},     {"alpha", 0.8},     {"beta1", 0.6},
                       {"beta2", 0.85},       {"epsilon", 0.003}, {"initial_accumulator", 0.04},
                       {"weight_decay", 0.05}};
  for (const char* optimizer : {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamw"})
    for (const Json& more : {Json{{"decay", "all"}, {"clip_norm", 0.9}}, Json{{"decay", "weights"}},
                             Json{{"decay", "all"}, {"clip_value", 0.002}}}) {
      Json given = constants;
      given.update(more);
      given.update(Json{{"model", "cnn5x5"}, {"optimizer", optimizer}, {"lr", 0.004}});
      expect_steps_of_torch(given, 5, 0.02);
    }
}

TEST_F(Recipes, ConstantsOfBatchNormalisationComeToTheirPlace) {
  for (const char* model : {"cnn3", "resnet9", "resnet"})
    expect_steps_of_torch({{"model", model},
                           {"optimizer", "sgd"},
                           {"batch_norm_momentum", 0.4},
                           {"batch_norm_epsilon", 0.01}},
                          3, 0.02);
}

// Beside an epsilon like this one the squares are nothing: steps are lr g / epsilon, or its root.
TEST_F(Recipes, WhereEpsilonStandsComesToItsPlace) {
  const auto trained = [&](bool in_root, double epsilon) {
    const Parameters p("cifar10", {{"model", "cnn5x5"},
                                   {"optimizer", "rmsprop"},
                                   {"epochs", 1},
                                   {"batch", 8},
                                   {"steps_per_epoch", 3},
                                   {"epsilon", epsilon},
                                   {"epsilon_in_root", in_root}});
    return epoch_of(*training(p), 1).at("val_loss");
  };
  EXPECT_NEAR(trained(true, 1e6), trained(false, 1e3), 1e-6);
  EXPECT_GT(std::abs(trained(true, 1e-6) - trained(false, 1e-6)), 1e-4);
}

TEST_F(Recipes, TheSizeOfEvaluationBatchesChangesNothing) {
  std::vector<Metrics> all;
  for (const int size : {7, 120}) {
    const Parameters p("cifar10", {{"model", "cnn3"},
                                   {"optimizer", "adam"},
                                   {"epochs", 1},
                                   {"batch", 8},
                                   {"steps_per_epoch", 3},
                                   {"evaluation_batch", size}});
    all.push_back(epoch_of(*training(p), 1));
  }
  ASSERT_EQ(all[0].size(), all[1].size());
  for (const auto& [name, value] : all[0]) EXPECT_NEAR(value, all[1].at(name), 1e-6) << name;
  EXPECT_EQ(all[0].at("train_loss"), all[1].at("train_loss"));
  EXPECT_EQ(all[0].at("val_top1_error"), all[1].at("val_top1_error"));
}

}  // namespace
}  // namespace windrow::worker
