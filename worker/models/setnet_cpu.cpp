// setnet on the CPU, without ATen operators.
//
// 16 sets lie side by side as the lanes of vectors: activations are [block][feature][item][16], so
// that a product with a weight is one multiply-add of 16 sets, pooling over the items adds whole
// vectors, and nothing is ever transposed. Forward and backward are the same kernel with other
// strides. Blocks are independent of one another, weight gradients are sums over all of them.
#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "worker/kernels/kernels.h"
#include "worker/models/setnet.h"

namespace windrow::worker {
namespace {

using Finish = AffineArguments::Finish;

constexpr std::int64_t kGroup = 5;  // blocks that go through the network together

// A float buffer, aligned to 64 bytes; begins at 0.
class Buffer {
 public:
  void resize(std::int64_t count) {
    tensor_ = at::zeros({count}, at::kFloat);
    data_ = tensor_.mutable_data_ptr<float>();
  }
  float* data() const { return data_; }

 private:
  at::Tensor tensor_;
  float* data_ = nullptr;
};

class CpuSetnet final : public Setnet {
 public:
  CpuSetnet(const SetnetShape& shape, Weights& weights, const Kernels& kernels)
      : shape_(shape), kernels_(kernels) {
    const float* values = weights.flat().const_data_ptr<float>();
    float* gradient = weights.flat_gradient().mutable_data_ptr<float>();
    std::int64_t at = 0;
    for (std::int64_t l = 0; l < shape.depth; ++l) {
      const std::int64_t in = shape.in(l), out = shape.out(l), size = in * out;
      layers_.push_back({in, out, values + at, values + at + size, values + at + 2 * size,
                         gradient + at, gradient + at + size, gradient + at + 2 * size});
      at += 2 * size + out;
    }
  }

  void gradient(const ChoiceSets& data, const at::Tensor& batch) override {
    const std::int64_t* sets = batch.const_data_ptr<std::int64_t>();
    const std::int64_t n = batch.numel();
    forward(
        data, [sets](std::int64_t i) { return sets[i]; }, n);
    const float scale = 2 / static_cast<float>(n * shape_.items);
    error_gradient(n, scale);
    for (std::size_t l = layers_.size(); l-- > 0;) backward(l, blocks_of(n));
  }

  void evaluate(const ChoiceSets& data, std::int64_t begin, std::int64_t end) override {
    constexpr std::int64_t kAtOnce = 16 * kLanes * kGroup;
    for (std::int64_t first = begin; first < end; first += kAtOnce) {
      const std::int64_t n = std::min(kAtOnce, end - first);
      forward(
          data, [first](std::int64_t i) { return first + i; }, n);
      error_gradient(n, 0);
    }
  }

  double take_squared_error() override { return std::exchange(squared_error_, 0); }

  at::Tensor outputs(const at::Tensor& x) override {
    const std::int64_t n = x.size(0), items = shape_.items;
    const ChoiceSets data{x.contiguous(), at::zeros({n}, at::kLong)};
    forward(
        data, [](std::int64_t i) { return i; }, n);
    at::Tensor out = at::zeros({n, items}, at::kFloat);
    float* to = out.mutable_data_ptr<float>();
    for (std::int64_t s = 0; s < n; ++s)
      for (std::int64_t i = 0; i < items; ++i)
        to[s * items + i] = outputs_.data()[(s / kLanes * items + i) * kLanes + s % kLanes];
    return out;
  }

 private:
  struct Layer {
    std::int64_t in, out;
    const float *lambda, *gamma, *bias;
    float *lambda_gradient, *gamma_gradient, *bias_gradient;
    Buffer x = {};       // [blocks][in][items][16], the layer's input
    Buffer pooled = {};  // [blocks][in][16]
    Buffer argmax = {};  // [blocks][in][16], the item's number, where pool is max
    Buffer dy = {};      // [blocks][out][items][16]
    Buffer dy_sum = {};  // [blocks][out][16], over the items
    Buffer shared = {};  // [blocks][max(in, out)][16], the pooled part of a sum
  };

  static std::int64_t blocks_of(std::int64_t sets) { return (sets + kLanes - 1) / kLanes; }
  std::int64_t block_size() const { return shape_.items * kLanes; }  // floats of a feature

  void reserve(std::int64_t blocks) {
    if (blocks <= capacity_) return;
    capacity_ = blocks;
    for (Layer& layer : layers_) {
      layer.x.resize(blocks * layer.in * block_size());
      layer.pooled.resize(blocks * layer.in * kLanes);
      if (shape_.pool == Pool::max) layer.argmax.resize(blocks * layer.in * kLanes);
      layer.dy.resize(blocks * layer.out * block_size());
      layer.dy_sum.resize(blocks * layer.out * kLanes);
      layer.shared.resize(blocks * std::max(layer.in, layer.out) * kLanes);
    }
    outputs_.resize(blocks * block_size());
    choice_.resize(blocks * kLanes);
    block_error_.resize(static_cast<std::size_t>(blocks));
  }

  // Calls work(first block, last block) for groups of blocks, on all threads.
  template <class Work>
  static void for_groups(std::int64_t blocks, Work work) {
    const std::int64_t groups = (blocks + kGroup - 1) / kGroup;
    at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t g = begin; g < end; ++g)
        work(g * kGroup, std::min(blocks, (g + 1) * kGroup));
    });
  }

  // Outputs of the sets set_of(0) .. set_of(n - 1) of `data`.
  template <class SetOf>
  void forward(const ChoiceSets& data, SetOf set_of, std::int64_t n) {
    reserve(blocks_of(n));
    for_groups(blocks_of(n), [&](std::int64_t first, std::int64_t last) {
      gather(data, set_of, n, first, last);
      for (std::size_t l = 0; l < layers_.size(); ++l) forward_layer(l, first, last);
    });
  }

  template <class SetOf>
  void gather(const ChoiceSets& data, SetOf set_of, std::int64_t n, std::int64_t first,
              std::int64_t last) {
    const std::int64_t items = shape_.items, features = shape_.features;
    const float* x = data.x.const_data_ptr<float>();
    const std::int64_t* choice = data.choice.const_data_ptr<std::int64_t>();
    for (std::int64_t b = first; b < last; ++b) {
      float* to = layers_[0].x.data() + b * features * block_size();
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const std::int64_t at = b * kLanes + lane;
        // Lanes behind the last set repeat it; their errors are not counted.
        const std::int64_t set = set_of(std::min(at, n - 1));
        choice_.data()[at] = static_cast<float>(choice[set]);
        const float* from = x + set * items * features;
        for (std::int64_t i = 0; i < items; ++i)
          for (std::int64_t k = 0; k < features; ++k)
            to[(k * items + i) * kLanes + lane] = from[i * features + k];
      }
    }
  }

  void pool(Layer& layer, std::int64_t first, std::int64_t last) {
    if (shape_.pool == Pool::max) return pool_max(layer, first, last);
    kernels_.sum_rows(
        {.features = (last - first) * layer.in,
         .rows = shape_.items,
         .x = layer.x.data() + first * layer.in * block_size(),
         .scale = shape_.pool == Pool::mean ? 1 / static_cast<float>(shape_.items) : 1,
         .sum = layer.pooled.data() + first * layer.in * kLanes});
  }

  // The first of equal items wins.
  void pool_max(Layer& layer, std::int64_t first, std::int64_t last) {
    for (std::int64_t f = first * layer.in; f < last * layer.in; ++f) {
      const float* x = layer.x.data() + f * block_size();
      float best[kLanes], number[kLanes] = {};
      std::copy(x, x + kLanes, best);
      for (std::int64_t i = 1; i < shape_.items; ++i)
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
          const float value = x[i * kLanes + lane];
          number[lane] = value > best[lane] ? static_cast<float>(i) : number[lane];
          best[lane] = value > best[lane] ? value : best[lane];
        }
      std::copy(best, best + kLanes, layer.pooled.data() + f * kLanes);
      std::copy(number, number + kLanes, layer.argmax.data() + f * kLanes);
    }
  }

  void forward_layer(std::size_t l, std::int64_t first, std::int64_t last) {
    Layer& layer = layers_[l];
    const bool is_last = l + 1 == layers_.size();
    const std::int64_t in = layer.in, out = layer.out;
    float* shared = layer.shared.data();
    pool(layer, first, last);
    // pool(x) Γ + bias, the same for all items: the blocks are the rows.
    kernels_.affine({.rows = last - first,
                     .inputs = in,
                     .outputs = out,
                     .x = layer.pooled.data() + first * in * kLanes,
                     .x_input = kLanes,
                     .x_row = in * kLanes,
                     .w = layer.gamma,
                     .w_input = out,
                     .w_output = 1,
                     .bias = layer.bias,
                     .y = shared + first * out * kLanes,
                     .y_output = kLanes,
                     .y_row = out * kLanes});
    float* y = is_last ? outputs_.data() : layers_[l + 1].x.data();
    for (std::int64_t b = first; b < last; ++b)
      kernels_.affine({.rows = shape_.items,
                       .inputs = in,
                       .outputs = out,
                       .x = layer.x.data() + b * in * block_size(),
                       .x_input = block_size(),
                       .x_row = kLanes,
                       .w = layer.lambda,
                       .w_input = out,
                       .w_output = 1,
                       .start = shared + b * out * kLanes,
                       .finish = is_last ? Finish::nothing : Finish::relu,
                       .y = y + b * out * block_size(),
                       .y_output = block_size(),
                       .y_row = kLanes});
  }

  // Adds the squared error of the first n sets, and sets the last layer's dy to `scale` times the
  // difference.
  void error_gradient(std::int64_t n, float scale) {
    const std::int64_t items = shape_.items, blocks = blocks_of(n);
    float* dy = layers_.back().dy.data();
    for_groups(blocks, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) {
        const std::int64_t used = std::min(kLanes, n - b * kLanes);
        const float* choice = choice_.data() + b * kLanes;
        float lanes[kLanes] = {};
        for (std::int64_t i = 0; i < items; ++i) {
          const std::int64_t at = (b * items + i) * kLanes;
          for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const float target = choice[lane] == static_cast<float>(i) ? 1 : 0;
            const float difference = outputs_.data()[at + lane] - target;
            lanes[lane] += difference * difference;
            dy[at + lane] = lane < used ? scale * difference : 0;
          }
        }
        double error = 0;
        for (std::int64_t lane = 0; lane < used; ++lane) error += lanes[lane];
        block_error_[static_cast<std::size_t>(b)] = error;
      }
    });
    // In the blocks' order, whatever thread made them.
    for (std::int64_t b = 0; b < blocks; ++b)
      squared_error_ += block_error_[static_cast<std::size_t>(b)];
  }

  void backward(std::size_t l, std::int64_t blocks) {
    Layer& layer = layers_[l];
    for_groups(blocks, [&](std::int64_t first, std::int64_t last) {
      kernels_.sum_rows({.features = (last - first) * layer.out,
                         .rows = shape_.items,
                         .x = layer.dy.data() + first * layer.out * block_size(),
                         .sum = layer.dy_sum.data() + first * layer.out * kLanes});
      if (l > 0) input_gradient(layer, layers_[l - 1].dy.data(), first, last);
    });
    weight_gradients(layer, blocks);
  }

  // dx = dy Λᵀ + (dy summed over the items) Γᵀ through the pooling, and 0 where the ReLU before
  // was.
  void input_gradient(Layer& layer, float* dx, std::int64_t first, std::int64_t last) {
    const std::int64_t in = layer.in, out = layer.out;
    float* shared = layer.shared.data();
    const bool mean = shape_.pool == Pool::mean, max = shape_.pool == Pool::max;
    kernels_.affine({.rows = last - first,
                     .inputs = out,
                     .outputs = in,
                     .x = layer.dy_sum.data() + first * out * kLanes,
                     .x_input = kLanes,
                     .x_row = out * kLanes,
                     .w = layer.gamma,
                     .w_input = 1,
                     .w_output = out,
                     .finish = mean ? Finish::scale : Finish::nothing,
                     .scale = mean ? 1 / static_cast<float>(shape_.items) : 1,
                     .y = shared + first * in * kLanes,
                     .y_output = kLanes,
                     .y_row = in * kLanes});
    for (std::int64_t b = first; b < last; ++b) {
      const float* pooled_part = shared + b * in * kLanes;
      kernels_.affine({.rows = shape_.items,
                       .inputs = out,
                       .outputs = in,
                       .x = layer.dy.data() + b * out * block_size(),
                       .x_input = block_size(),
                       .x_row = kLanes,
                       .w = layer.lambda,
                       .w_input = 1,
                       .w_output = out,
                       .start = max ? nullptr : pooled_part,
                       .finish = max ? Finish::add_and_gate : Finish::gate,
                       .gate = layer.x.data() + b * in * block_size(),
                       .added = pooled_part,
                       .argmax = max ? layer.argmax.data() + b * in * kLanes : nullptr,
                       .y = dx + b * in * block_size(),
                       .y_output = block_size(),
                       .y_row = kLanes});
    }
  }

  void weight_gradients(Layer& layer, std::int64_t blocks) {
    const std::int64_t in = layer.in, out = layer.out;
    constexpr std::int64_t kInputs = 5;  // a whole number of the kernels' tiles
    at::parallel_for(0, (in + kInputs - 1) / kInputs, 1, [&](std::int64_t begin, std::int64_t end) {
      const OuterArguments lambda{.blocks = blocks,
                                  .rows = shape_.items,
                                  .first_input = begin * kInputs,
                                  .last_input = std::min(in, end * kInputs),
                                  .outputs = out,
                                  .x = layer.x.data(),
                                  .x_block = in * block_size(),
                                  .x_input = block_size(),
                                  .x_row = kLanes,
                                  .y = layer.dy.data(),
                                  .y_block = out * block_size(),
                                  .y_output = block_size(),
                                  .y_row = kLanes,
                                  .w = layer.lambda_gradient};
      // One row for each block.
      OuterArguments gamma = lambda;
      gamma.blocks = 1;
      gamma.rows = blocks;
      gamma.x = layer.pooled.data();
      gamma.x_input = kLanes;
      gamma.x_row = in * kLanes;
      gamma.y = layer.dy_sum.data();
      gamma.y_output = kLanes;
      gamma.y_row = out * kLanes;
      gamma.w = layer.gamma_gradient;
      kernels_.outer(lambda);
      kernels_.outer(gamma);
    });
    const float* dy_sum = layer.dy_sum.data();
    for (std::int64_t o = 0; o < out; ++o) {
      float lanes[kLanes] = {};
      for (std::int64_t b = 0; b < blocks; ++b)
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          lanes[lane] += dy_sum[(b * out + o) * kLanes + lane];
      float sum = 0;
      for (const float lane : lanes) sum += lane;
      layer.bias_gradient[o] = sum;
    }
  }

  SetnetShape shape_;
  const Kernels& kernels_;
  std::vector<Layer> layers_;
  std::int64_t capacity_ = 0;  // blocks that the buffers hold
  Buffer outputs_;             // [blocks][items][16]
  Buffer choice_;              // [blocks][16], as numbers of items
  std::vector<double> block_error_;
  double squared_error_ = 0;
};

}  // namespace

std::unique_ptr<Setnet> make_cpu_setnet(const SetnetShape& shape, Weights& weights,
                                        const Kernels& kernels) {
  return std::make_unique<CpuSetnet>(shape, weights, kernels);
}

}  // namespace windrow::worker
