// Task choice-sets: regression of one-hot choices on sets, generated or from files (study P3).
#include "worker/data/choice_sets.h"

#include <algorithm>
#include <optional>

#include "worker/data/choice_files.h"
#include "worker/data/epoch_order.h"
#include "worker/device/numerics.h"
#include "worker/gang/shard_sum.h"
#include "worker/models/setnet.h"
#include "worker/optim/optimizer.h"
#include "worker/tasks/task.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

constexpr std::int64_t kEvaluationSets = 4096;  // at once

ChoiceSets on_device(const ChoiceSets& data, at::Device device) {
  return {data.x.to(device), data.choice.to(device)};
}

SetnetShape shape_of(const Parameters& p, const ChoiceSets& data) {
  return {.items = data.x.size(1),
          .features = data.x.size(2),
          .depth = p.integer("depth"),
          .width = p.integer("width"),
          .pool = pool_from_name(p.string("pool"))};
}

OptimizerSettings adam_of(const Parameters& p) {
  return {.kind = OptimizerKind::adam,
          .lr = p.number("lr"),
          .beta1 = p.number("beta1"),
          .beta2 = p.number("beta2"),
          .epsilon = p.number("epsilon")};
}

std::shared_ptr<const ChoiceSets> generated_sets(const TrainingContext& context, ChoicePart part) {
  constexpr std::int64_t kItems = 5, kFeatures = 3;  // the study's
  const Parameters& p = context.parameters;
  const bool training = part == ChoicePart::training;
  const std::int64_t sets = p.integer(training ? "train_sets" : "test_sets");
  const std::int64_t items = p.integer_or_null("items").value_or(kItems);
  const std::int64_t features = p.integer_or_null("features").value_or(kFeatures);
  const std::int64_t data_seed = p.integer("data_seed");
  const std::string key = std::string("choice-sets ") + (training ? "training " : "test ") +
                          std::to_string(sets) + " " + std::to_string(items) + " " +
                          std::to_string(features) + " " + std::to_string(data_seed) + " " +
                          context.device.str();
  return context.data.get<ChoiceSets>(key, [&] {
    return on_device(generate_choice_sets(data_seed, part, sets, items, features), context.device);
  });
}

struct StudySets {
  std::shared_ptr<const ChoiceSets> training, test;
  std::string hash = {};      // of sets from files
  protocol::Json facts = {};  // likewise
};

StudySets sets_of(const TrainingContext& context) {
  const Parameters& p = context.parameters;
  try {
    const auto files = sweeps::choice_files(p.json(), context.data_dir);
    if (!files)
      return {generated_sets(context, ChoicePart::training),
              generated_sets(context, ChoicePart::test)};
    const double split = p.number("validation_split");
    const std::string key = "choice files " + sweeps::shown(split) + " " + context.device.str() +
                            " " + version_of(*files);
    const auto both = context.data.get<FileSets>(
        key, [&] { return load_choice_files(*files, split, context.device); });
    return {{both, &both->training}, {both, &both->test}, both->hash, both->facts};
  } catch (const sweeps::DataFileError& error) {
    throw TrainerError(protocol::TrainerFailure::data, error.what());
  }
}

class ChoiceSetsTraining final : public Training {
 public:
  explicit ChoiceSetsTraining(const TrainingContext& context)
      : seed_(context.seed),
        epochs_(static_cast<int>(context.parameters.integer("epochs"))),
        batch_(context.parameters.integer("batch")),
        shards_(static_cast<int>(context.parameters.integer("shards"))),
        data_(sets_of(context)),
        training_(*data_.training),
        test_(*data_.test),
        items_(training_.x.size(1)),
        weights_(context.device, context.seed) {
    declare_numerics(context.device, precision_from_name(context.parameters.string("precision")));
    const std::int64_t sets = training_.choice.size(0);
    train_sets_ =
        sets - sweeps::validation_sets(sets, context.parameters.number("validation_split"));
    const SetnetShape shape = shape_of(context.parameters, training_);
    add_setnet_weights(shape, weights_);
    model_ = make_setnet(shape, weights_, shards_);
    shard_sum_.emplace(weights_.pass_results(), shards_);
    optimizer_ = std::make_unique<Optimizer>(adam_of(context.parameters), weights_.flat(),
                                             weights_.flat_gradient());
  }

  int epochs() const override { return epochs_; }
  protocol::Json facts() const override {
    protocol::Json facts = {{"parameters", weights_.count()}};
    if (!data_.facts.empty()) facts["data"] = data_.facts;
    return facts;
  }
  std::string data_hash() const override { return data_.hash; }

  int shards() const override { return shards_; }
  bool takes_threads() const override { return weights_.flat().is_cpu(); }

  protocol::Metrics run_epoch(int epoch, Gang& gang, Progress& progress) override {
    const at::Tensor order =
        epoch_order(seed_, epoch, train_sets_, train_sets_, weights_.flat().device());
    const Range own = shard_sum_->shards_of(gang, gang.rank());
    for (std::int64_t begin = 0; begin < train_sets_; begin += batch_) {
      const std::int64_t n = std::min(batch_, train_sets_ - begin);
      for (std::int64_t shard = own.begin; shard < own.end; ++shard) {
        const Range part = part_of(n, shards_, shard);
        if (part.size() > 0)
          model_->gradient(training_, order.narrow(0, begin + part.begin, part.size()), n, shard);
        else
          weights_.pass_results().zero_();
        shard_sum_->add(gang, shard);
      }
      shard_sum_->finish(gang);
      optimizer_->step();
      progress.step();
    }
    const double train_mse = error_of(gang) / values(train_sets_);
    return {{"train_mse", train_mse},
            {"val_mse", mse(training_, train_sets_, training_.choice.size(0), gang, progress)}};
  }

  // All three errors with the weights as they are, as the report's table has them.
  protocol::Metrics result(const protocol::Metrics&, Progress& progress) override {
    const auto error = [&](const ChoiceSets& data, std::int64_t begin, std::int64_t end) {
      return mse(data, begin, end, *make_solo(), progress);
    };
    return {{"train_mse", error(training_, 0, train_sets_)},
            {"val_mse", error(training_, train_sets_, training_.choice.size(0))},
            {"test_mse", error(test_, 0, test_.choice.size(0))}};
  }

  std::vector<at::Tensor> weights() override { return weights_.state(); }
  std::vector<Weights::Place> layout() const override { return weights_.layout(); }
  std::vector<at::Tensor> optimizer_state() override { return optimizer_->state(); }

 private:
  double values(std::int64_t sets) const { return static_cast<double>(sets * items_); }

  // Of all members, a shard each, in the order of the shards.
  double error_of(Gang& gang) {
    const at::Tensor errors = model_->take_squared_errors();
    gang.sum(errors);
    double sum = 0;
    for (std::int64_t shard = 0; shard < shards_; ++shard)
      sum += errors.const_data_ptr<double>()[shard];
    return sum;
  }

  // Of sets begin .. end-1, of which each shard has a part.
  double mse(const ChoiceSets& data, std::int64_t begin, std::int64_t end, Gang& gang,
             Progress& progress) {
    const Range own = shard_sum_->shards_of(gang, gang.rank());
    for (std::int64_t shard = own.begin; shard < own.end; ++shard) {
      const Range part = part_of(end - begin, shards_, shard);
      for (std::int64_t i = part.begin; i < part.end; i += kEvaluationSets) {
        model_->evaluate(data, begin + i, begin + std::min(part.end, i + kEvaluationSets), shard);
        progress.step();
      }
    }
    return error_of(gang) / values(end - begin);
  }

  std::int64_t seed_;
  int epochs_;
  std::int64_t batch_;
  int shards_;
  StudySets data_;
  const ChoiceSets &training_, &test_;
  std::int64_t items_;
  std::int64_t train_sets_ = 0;  // of training_; the rest is for validation
  Weights weights_;
  std::unique_ptr<Setnet> model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<ShardSum> shard_sum_;
};

}  // namespace

std::unique_ptr<Training> begin_choice_sets(const TrainingContext& context) {
  return std::make_unique<ChoiceSetsTraining>(context);
}

}  // namespace windrow::worker
