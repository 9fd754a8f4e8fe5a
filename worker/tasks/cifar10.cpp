// Task cifar10: image classification (study P1).
#include "worker/data/cifar10.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "sweeps/tasks/task_schema.h"
#include "worker/data/epoch_order.h"
#include "worker/models/image_model.h"
#include "worker/optim/optimizer.h"
#include "worker/tasks/task.h"

namespace windrow::worker {
namespace {

OptimizerSettings optimizer_of(const Parameters& p) {
  const std::string name = p.string("optimizer");
  return {.kind = optimizer_from_name(name),
          .lr = p.number("lr"),
          .momentum = p.number("momentum"),
          .alpha = p.number("alpha"),
          .beta1 = p.number("beta1"),
          .beta2 = p.number("beta2"),
          .epsilon = p.number_or_null("epsilon").value_or(sweeps::default_epsilon(name)),
          .initial_accumulator = p.number("initial_accumulator"),
          .weight_decay = p.number("weight_decay")};
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
        data_(images_of(context)),
        weights_(context.device, context.seed),
        model_(make_image_model(context.parameters.string("model"), context.parameters, weights_)) {
    weights_.allocate(/*autograd=*/true);
    optimizer_ = std::make_unique<Optimizer>(optimizer_of(context.parameters), weights_.flat(),
                                             weights_.flat_gradient());
    const std::int64_t steps = context.parameters.integer("steps_per_epoch");
    const std::int64_t images = data_->training.labels.size(0);
    images_per_epoch_ = steps == 0 ? images : std::min(images, steps * batch_);
  }

  int epochs() const override { return epochs_; }
  protocol::Json facts() const override { return {{"parameters", weights_.count()}}; }

  protocol::Metrics run_epoch(int epoch, Progress& progress) override {
    return evaluate_after(train(epoch, progress), progress);
  }

  std::vector<at::Tensor> weights() override { return weights_.state(); }
  std::vector<at::Tensor> optimizer_state() override { return optimizer_->state(); }

 private:
  at::TensorOptions sums() const { return weights_.flat().options().dtype(at::kDouble); }

  // The mean loss over the epoch's minibatches, weighted by their sizes.
  double train(int epoch, Progress& progress) {
    const at::Tensor order = epoch_order(seed_, epoch, data_->training.labels.size(0),
                                         images_per_epoch_, weights_.flat().device());
    at::Tensor loss_sum = at::zeros({}, sums());  // on the device: no wait in a step
    Pass pass{.training = true, .seed = seed_, .epoch = epoch};
    for (std::int64_t begin = 0; begin < images_per_epoch_; begin += batch_, ++pass.step) {
      const std::int64_t n = std::min(batch_, images_per_epoch_ - begin);
      const at::Tensor batch = order.narrow(0, begin, n);
      const at::Tensor logits =
          model_->forward(normalized_batch(data_->training.images, batch), pass);
      const at::Tensor loss =
          at::cross_entropy_loss(logits, data_->training.labels.index_select(0, batch));
      weights_.flat_gradient().zero_();
      loss.backward();
      optimizer_->step();
      loss_sum.add_(loss.detach(), static_cast<double>(n));
      progress.step();
    }
    return loss_sum.item<double>() / static_cast<double>(images_per_epoch_);
  }

  protocol::Metrics evaluate_after(double train_loss, Progress& progress) {
    const at::NoGradGuard no_gradients;
    const LabelledImages& test = data_->test;
    const std::int64_t images = test.labels.size(0);
    const at::Tensor order = at::arange(images, test.labels.options());
    at::Tensor loss_sum = at::zeros({}, sums());
    at::Tensor wrong1 = at::zeros({}, test.labels.options()), wrong5 = wrong1.clone();
    for (std::int64_t begin = 0; begin < images; begin += evaluation_batch_) {
      const std::int64_t n = std::min(evaluation_batch_, images - begin);
      const at::Tensor labels = test.labels.narrow(0, begin, n);
      const at::Tensor logits =
          model_->forward(normalized_batch(test.images, order.narrow(0, begin, n)), Pass{});
      loss_sum.add_(at::cross_entropy_loss(logits, labels), static_cast<double>(n));
      // How many classes are held more probable than the right one.
      const at::Tensor rank = logits.gt(logits.gather(1, labels.unsqueeze(1))).sum(1);
      wrong1 += rank.ge(1).sum();
      wrong5 += rank.ge(5).sum();
      progress.step();
    }
    const auto share = [&](const at::Tensor& sum) {
      return sum.item<double>() / static_cast<double>(images);
    };
    return {{"train_loss", train_loss},
            {"val_loss", share(loss_sum)},
            {"val_top1_error", share(wrong1)},
            {"val_top5_error", share(wrong5)}};
  }

  std::int64_t seed_;
  int epochs_;
  std::int64_t batch_, evaluation_batch_;
  std::int64_t images_per_epoch_ = 0;
  std::shared_ptr<const Cifar10> data_;
  Weights weights_;
  std::unique_ptr<ImageModel> model_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace

std::unique_ptr<Training> begin_cifar10(const TrainingContext& context) {
  return std::make_unique<Cifar10Training>(context);
}

}  // namespace windrow::worker
