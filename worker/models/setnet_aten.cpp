// setnet by ATen operators: the same on every device. Forward and backward are written out, and
// gradients go straight into their views of the flat buffer.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "worker/models/setnet.h"

namespace windrow::worker {
namespace {

class AtenSetnet final : public Setnet {
 public:
  AtenSetnet(const SetnetShape& shape, Weights& weights, std::int64_t shards) : shape_(shape) {
    for (std::int64_t l = 0; l < shape.depth; ++l) {
      const std::string prefix = "layer" + std::to_string(l + 1) + ".";
      layers_.push_back({weights[prefix + "lambda"], weights[prefix + "gamma"],
                         weights[prefix + "bias"], weights.gradient(prefix + "lambda"),
                         weights.gradient(prefix + "gamma"), weights.gradient(prefix + "bias")});
    }
    const auto options = weights.flat().options();
    squared_errors_ = at::zeros({shards}, options.dtype(at::kDouble));
    items_ = at::arange(shape.items, options.dtype(at::kLong));
  }

  void gradient(const ChoiceSets& data, const at::Tensor& part, std::int64_t batch,
                std::int64_t shard) override {
    const at::Tensor difference =
        forward(data.x.index_select(0, part)) - one_hot(data.choice.index_select(0, part));
    add_error(difference, shard);
    backward(difference.mul(2.0 / static_cast<double>(batch * shape_.items)));
  }

  void evaluate(const ChoiceSets& data, std::int64_t begin, std::int64_t end,
                std::int64_t shard) override {
    const at::Tensor outputs = forward(data.x.narrow(0, begin, end - begin));
    add_error(outputs - one_hot(data.choice.narrow(0, begin, end - begin)), shard);
  }

  at::Tensor take_squared_errors() override {
    const at::Tensor sums = squared_errors_.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    squared_errors_.zero_();
    return sums;
  }

  at::Tensor outputs(const at::Tensor& x) override { return forward(x); }

 private:
  struct Layer {
    at::Tensor lambda, gamma, bias, lambda_gradient, gamma_gradient, bias_gradient;
    at::Tensor x = {};       // [sets * items, in], of the last forward pass
    at::Tensor pooled = {};  // [sets, in]
    at::Tensor argmax = {};  // [sets, in], where pool is max
  };

  at::Tensor one_hot(const at::Tensor& choice) const {
    return choice.unsqueeze(1).eq(items_).to(at::kFloat);
  }

  void add_error(const at::Tensor& difference, std::int64_t shard) {
    squared_errors_.select(0, shard).add_(difference.square().sum(at::kDouble));
  }

  at::Tensor pooled(const at::Tensor& x, Layer& layer) const {
    if (shape_.pool == Pool::mean) return x.mean(1);
    if (shape_.pool == Pool::sum) return x.sum(1);
    auto [values, argmax] = x.max(1);
    layer.argmax = argmax;
    return values;
  }

  // x [sets, items, features] to [sets, items].
  at::Tensor forward(const at::Tensor& x) {
    const std::int64_t sets = x.size(0), items = x.size(1);
    at::Tensor h = x;
    for (Layer& layer : layers_) {
      layer.pooled = pooled(h, layer);
      layer.x = h.reshape({sets * items, -1});
      h = at::mm(layer.x, layer.lambda).view({sets, items, -1});
      h += at::addmm(layer.bias, layer.pooled, layer.gamma).unsqueeze(1);
      if (&layer != &layers_.back()) h.relu_();
    }
    return h.squeeze(2);
  }

  // `outputs_gradient` [sets, items].
  void backward(const at::Tensor& outputs_gradient) {
    const std::int64_t sets = outputs_gradient.size(0), items = outputs_gradient.size(1);
    at::Tensor dy = outputs_gradient.unsqueeze(2);
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Layer& layer = layers_[l];
      const at::Tensor dy_sum = dy.sum(1);  // [sets, out]
      const at::Tensor dy_rows = dy.reshape({sets * items, -1});
      at::mm_out(layer.lambda_gradient, layer.x.t(), dy_rows);
      at::mm_out(layer.gamma_gradient, layer.pooled.t(), dy_sum);
      at::sum_out(layer.bias_gradient, dy_sum, 0);
      if (l == 0) return;
      at::Tensor dx = at::mm(dy_rows, layer.lambda.t()).view({sets, items, -1});
      at::Tensor dpooled = at::mm(dy_sum, layer.gamma.t()).unsqueeze(1);
      if (shape_.pool == Pool::mean) dpooled.div_(static_cast<double>(items));
      if (shape_.pool == Pool::max)
        dx.scatter_add_(1, layer.argmax.unsqueeze(1), dpooled);
      else
        dx += dpooled;
      dy = dx * layer.x.view_as(dx).gt(0);  // the ReLU before this layer
    }
  }

  SetnetShape shape_;
  std::vector<Layer> layers_;
  at::Tensor squared_errors_;
  at::Tensor items_;
};

}  // namespace

std::unique_ptr<Setnet> make_aten_setnet(const SetnetShape& shape, Weights& weights,
                                         std::int64_t shards) {
  return std::make_unique<AtenSetnet>(shape, weights, shards);
}

}  // namespace windrow::worker
