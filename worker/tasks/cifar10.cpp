// Task cifar10: image classification (studies P1 and P2).
#include "worker/data/cifar10.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <optional>

#include "sweeps/tasks/task_schema.h"
#include "worker/data/augmentation.h"
#include "worker/data/epoch_order.h"
#include "worker/device/numerics.h"
#include "worker/gang/shard_sum.h"
#include "worker/models/image_model.h"
#include "worker/models/layers.h"
#include "worker/models/shards_together.h"
#include "worker/optim/optimizer.h"
#include "worker/optim/plateau.h"
#include "worker/tasks/score.h"
#include "worker/tasks/task.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

constexpr std::int64_t kClasses = 10;

OptimizerSettings optimizer_of(const Parameters& p, const Weights& weights) {
  const std::string name = p.string("optimizer");
  OptimizerSettings settings{
      .kind = optimizer_from_name(name),
      .lr = p.number("lr"),
      .momentum = p.number("momentum"),
      .alpha = p.number("alpha"),
      .beta1 = p.number("beta1"),
      .beta2 = p.number("beta2"),
      .epsilon = p.number_or_null("epsilon").value_or(sweeps::default_epsilon(name)),
      .epsilon_in_root = p.boolean("epsilon_in_root"),
      .initial_accumulator = p.number("initial_accumulator"),
      .weight_decay = p.number("weight_decay"),
      .clip_norm = p.number_or_null("clip_norm"),
      .clip_value = p.number_or_null("clip_value")};
  if (p.string("decay") == "weights") settings.decayed = weights.matrices();
  return settings;
}

std::optional<Plateau> plateau_of(const Parameters& p) {
  if (p.string("schedule") != "plateau") return std::nullopt;
  return Plateau({.metric = p.string("plateau_metric"),
                  .factor = p.number("plateau_factor"),
                  .patience = static_cast<int>(p.integer("plateau_patience")),
                  .threshold = p.number("plateau_threshold"),
                  .min_lr = p.number("plateau_min_lr")},
                 p.number("lr"));
}

Augmentation augmentation_of(const Parameters& p) {
  return {.flip = p.boolean("flip"),
          .translate = p.integer("translate"),
          .rotate = p.number("rotate"),
          .zoom = p.number("zoom")};
}

std::shared_ptr<const Cifar10> images_of(const TrainingContext& context) {
  return context.data.get<Cifar10>("cifar10 " + context.data_dir + " " + context.device.str(), [&] {
    const auto move = [&](LabelledImages& part) {
      part = {part.images.to(context.device), part.labels.to(context.device)};
    };
    Cifar10 data = read_cifar10(context.data_dir);
    move(data.training);
    move(data.test);
    return data;
  });
}

class Cifar10Training final : public Training {
 public:
  explicit Cifar10Training(const TrainingContext& context)
      : seed_(context.seed),
        epochs_(static_cast<int>(context.parameters.integer("epochs"))),
        batch_(context.parameters.integer("batch")),
        evaluation_batch_(context.parameters.integer("evaluation_batch")),
        shards_(static_cast<int>(context.parameters.integer("shards"))),
        precision_(precision_from_name(context.parameters.string("precision"))),
        lr_(context.parameters.number("lr")),
        augmentation_(augmentation_of(context.parameters)),
        plateau_(plateau_of(context.parameters)),
        data_(images_of(context)),
        weights_(context.device, context.seed),
        model_(make_image_model(context.parameters.string("model"), context.parameters, weights_)) {
    declare_numerics(context.device, precision_);
    const bool has_norms = weights_.counts_statistics();
    if (has_norms) norm_momentum_ = context.parameters.number("batch_norm_momentum");
    synchronized_ =
        has_norms && shards_ > 1 && context.parameters.string("batch_norm") == "synchronized";
    weights_.allocate(/*autograd=*/true, synchronized_ ? shards_ : 1);
    optimizer_ = std::make_unique<Optimizer>(optimizer_of(context.parameters, weights_),
                                             weights_.flat(), weights_.flat_gradient());
    shard_sum_.emplace(weights_.pass_results(), shards_);
    const std::int64_t steps = context.parameters.integer("steps_per_epoch");
    validation_ = context.parameters.integer("validation_images");
    const std::int64_t images = data_->training.labels.size(0) - validation_;
    if (images < 1)
      throw TrainerError(protocol::TrainerFailure::spec,
                         "validation_images is " + std::to_string(validation_) +
                             ", but the files have " +
                             std::to_string(data_->training.labels.size(0)) +
                             " training images; leave some to train on");
    training_images_ = images;
    images_per_epoch_ = steps == 0 ? images : std::min(images, steps * batch_);
    if (synchronized_) check_last_batch();
  }

  int epochs() const override { return epochs_; }
  protocol::Json facts() const override { return {{"parameters", weights_.count()}}; }

  int shards() const override { return shards_; }

  protocol::Metrics run_epoch(int epoch, Gang& gang, Progress& progress) override {
    // A restored schedule knows its rate, the optimizer doesn't.
    const double lr = plateau_ ? plateau_->lr() : lr_;
    optimizer_->set_lr(lr);
    protocol::Metrics metrics = train(epoch, gang, progress);
    metrics.merge(evaluate(validation_images(), "val", gang, progress));
    metrics["learning_rate"] = lr;
    if (plateau_) plateau_->observe(metrics.at(plateau_->settings().metric));
    return metrics;
  }

  // What was held out for validation may have chosen the epoch: the test images have not.
  protocol::Metrics result(const protocol::Metrics& metrics, Progress& progress) override {
    if (validation_ == 0) return metrics;
    protocol::Metrics all = metrics;
    all.merge(evaluate(data_->test, "test", *make_solo(), progress));
    return all;
  }

  // Of the test images. Where some are held out for validation, result() has just evaluated them.
  protocol::Json artefacts(bool just_evaluated, Progress& progress) override {
    if (validation_ == 0 && !just_evaluated) evaluate(data_->test, "val", *make_solo(), progress);
    return {{"confusion", {{"classes", kCifar10Classes}, {"counts", confusion_->counts()}}}};
  }

  std::vector<at::Tensor> weights() override { return weights_.state(); }
  std::vector<Weights::Place> layout() const override { return weights_.layout(); }

  std::vector<at::Tensor> optimizer_state() override {
    std::vector<at::Tensor> state = optimizer_->state();
    if (plateau_) state.push_back(plateau_->state());
    return state;
  }

 private:
  at::Device device() const { return weights_.flat().device(); }

  // What an epoch trains on: positions in the epoch's order, and poses where images are augmented.
  struct Lesson {
    at::Tensor order, poses;
  };

  Lesson lesson_of(int epoch) const {
    Lesson lesson{epoch_order(seed_, epoch, training_images_, images_per_epoch_, device()), {}};
    if (augmentation_.any())
      lesson.poses = draw_poses(augmentation_, seed_, epoch, images_per_epoch_).to(device());
    return lesson;
  }

  // The metrics are of the minibatches, weighted by their sizes, as the weights were at each.
  protocol::Metrics train(int epoch, Gang& gang, Progress& progress) {
    const Lesson lesson = lesson_of(epoch);
    const std::int64_t steps = (images_per_epoch_ + batch_ - 1) / batch_;
    const Range own = shard_sum_->shards_of(gang, gang.rank());
    Score score(device(), kClasses, steps * shards_);  // on the device: no wait in a step
    Pass pass{.training = true, .seed = seed_, .epoch = epoch};
    for (; pass.step < steps; ++pass.step) {
      const std::int64_t begin = pass.step * batch_;
      const std::int64_t n = std::min(batch_, images_per_epoch_ - begin);
      if (synchronized_) train_together(lesson, begin, n, own, pass, score, gang, progress);
      for (std::int64_t shard = own.begin; !synchronized_ && shard < own.end; ++shard) {
        const Range part = part_of(n, shards_, shard);
        pass.first_image = part.begin;
        train_on(lesson, {begin + part.begin, begin + part.end}, n, pass, score,
                 pass.step * shards_ + shard);
        shard_sum_->add(gang, shard);
        progress.step();
      }
      shard_sum_->finish(gang);
      optimizer_->step();
      weights_.follow_statistics(norm_momentum_);
    }
    return score.metrics("train", gang);
  }

  struct Outcome {
    at::Tensor logits, loss;  // float [n, classes], and the mean cross-entropy, a scalar
  };

  Outcome outcome_of(const at::Tensor& input, const at::Tensor& labels, const Pass& pass) {
    const PrecisionScope scope(device(), precision_);
    const at::Tensor logits = model_->forward(input, pass).to(at::kFloat);
    return {logits, at::cross_entropy_loss(logits, labels)};
  }

  // Every member has images in every step, or the others would wait for it.
  void check_last_batch() const {
    const std::int64_t last = (images_per_epoch_ - 1) % batch_ + 1;
    if (last < shards_)
      throw TrainerError(protocol::TrainerFailure::spec,
                         "the last batch of an epoch has " + std::to_string(last) +
                             " images, fewer than the " + std::to_string(shards_) +
                             " shards that batch_norm: synchronized needs them for; choose "
                             "another batch, or fewer shards");
  }

  struct Examples {
    at::Tensor images, labels;  // as the model wants them; int64
  };

  Examples examples_of(const Lesson& lesson, const Range& part) const {
    const LabelledImages& images = data_->training;
    const at::Tensor indices = lesson.order.narrow(0, part.begin, part.size());
    const at::Tensor input = lesson.poses.defined()
                                 ? augmented_batch(images.images, indices,
                                                   lesson.poses.narrow(0, part.begin, part.size()),
                                                   augmentation_.interpolates())
                                 : normalized_batch(images.images, indices);
    return {input, images.labels.index_select(0, indices)};
  }

  // All of the member's shards at once, with a lane of the weights for each.
  void train_together(const Lesson& lesson, std::int64_t begin, std::int64_t n, const Range& own,
                      Pass pass, Score& score, Gang& gang, Progress& progress) {
    ShardsTogether together{gang, weights_, n, shards_, own, {}};
    pass.first_image = part_of(n, shards_, own.begin).begin;
    std::int64_t end = pass.first_image;
    for (std::int64_t shard = own.begin; shard < own.end; ++shard) {
      const Range part = part_of(n, shards_, shard);
      together.images.push_back({part.begin - pass.first_image, part.end - pass.first_image});
      end = part.end;
      weights_.lane_results(static_cast<std::size_t>(shard - own.begin)).zero_();
    }
    pass.together = &together;
    const Examples all = examples_of(lesson, {begin + pass.first_image, begin + end});
    const PrecisionScope scope(device(), precision_);
    const at::Tensor logits = model_->forward(all.images, pass).to(at::kFloat);
    at::Tensor total;
    for (std::size_t lane = 0; lane < together.count(); ++lane) {
      const Range& part = together.images[lane];
      const at::Tensor own_logits = logits.narrow(0, part.begin, part.size());
      const at::Tensor labels = all.labels.narrow(0, part.begin, part.size());
      const at::Tensor loss = at::cross_entropy_loss(own_logits, labels);
      const at::Tensor share = loss * (static_cast<double>(part.size()) / static_cast<double>(n));
      total = total.defined() ? total + share : share;
      score.add(pass.step * shards_ + own.begin + static_cast<std::int64_t>(lane), loss, own_logits,
                labels);
    }
    total.backward();
    progress.step();
    // The sum wants them one after the other, in the place of the first.
    for (std::size_t lane = 0; lane < together.count(); ++lane) {
      if (lane > 0) weights_.pass_results().copy_(weights_.lane_results(lane));
      shard_sum_->add(gang, own.begin + static_cast<std::int64_t>(lane));
    }
  }

  // Leaves the shard's share of the batch's gradient and statistics.
  void train_on(const Lesson& lesson, const Range& part, std::int64_t batch, const Pass& pass,
                Score& score, std::int64_t score_part) {
    weights_.pass_results().zero_();
    if (part.size() == 0) return;
    const auto [input, labels] = examples_of(lesson, part);
    const Outcome outcome = outcome_of(input, labels, pass);
    const at::Tensor& loss = outcome.loss;
    const double share = static_cast<double>(part.size()) / static_cast<double>(batch);
    (share == 1 ? loss : loss * share).backward();
    if (share != 1) weights_.batch_statistics().mul_(share);
    score.add(score_part, loss, outcome.logits, labels);
  }

  LabelledImages validation_images() const {
    if (validation_ == 0) return data_->test;
    const auto last = [&](const at::Tensor& all) {
      return all.narrow(0, training_images_, validation_);
    };
    return {last(data_->training.images), last(data_->training.labels)};
  }

  // On images as they are, with the weights as they are now; each member has some of the batches.
  protocol::Metrics evaluate(const LabelledImages& test, const std::string& prefix, Gang& gang,
                             Progress& progress) {
    const at::NoGradGuard no_gradients;
    const std::int64_t images = test.labels.size(0);
    const std::int64_t batches = (images + evaluation_batch_ - 1) / evaluation_batch_;
    const at::Tensor order = at::arange(images, test.labels.options());
    const Range own = part_of(batches, gang.size(), gang.rank());
    Score score(device(), kClasses, batches);
    confusion_.emplace(device(), kClasses);
    for (std::int64_t batch = own.begin; batch < own.end; ++batch) {
      const std::int64_t begin = batch * evaluation_batch_;
      const std::int64_t n = std::min(evaluation_batch_, images - begin);
      const at::Tensor labels = test.labels.narrow(0, begin, n);
      const Outcome outcome =
          outcome_of(normalized_batch(test.images, order.narrow(0, begin, n)), labels, Pass{});
      score.add(batch, outcome.loss, outcome.logits, labels);
      confusion_->add(outcome.logits, labels);
      progress.step();
    }
    confusion_->add_up(gang);
    return score.metrics(prefix, gang);
  }

  std::int64_t seed_;
  int epochs_;
  std::int64_t batch_, evaluation_batch_;
  int shards_;
  bool synchronized_ = false;  // batch normalisation over all shards
  double norm_momentum_ = 0;   // Weights::follow_statistics; 0: the model has none
  Precision precision_;
  double lr_;
  std::int64_t training_images_ = 0, validation_ = 0;  // of the training files
  std::int64_t images_per_epoch_ = 0;
  Augmentation augmentation_;
  std::optional<Plateau> plateau_;
  std::optional<Confusion> confusion_;  // of the last evaluation
  std::shared_ptr<const Cifar10> data_;
  Weights weights_;
  std::unique_ptr<ImageModel> model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<ShardSum> shard_sum_;
};

}  // namespace

std::unique_ptr<Training> begin_cifar10(const TrainingContext& context) {
  return std::make_unique<Cifar10Training>(context);
}

}  // namespace windrow::worker
