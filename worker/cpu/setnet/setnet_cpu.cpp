// setnet on the CPU, without ATen operators.
//
// 16 sets lie side by side as the lanes of vectors: activations are [block][feature][row][16], so
// that a product with a weight is one multiply-add of 16 sets, mixing the items adds whole vectors,
// and nothing is ever transposed. Forward and backward are the same kernel with other strides. A
// few blocks at a time go through the whole network and back, so that they stay in the cache; the
// weights' gradients are sums over all blocks.
#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "worker/cpu/kernels/kernels.h"
#include "worker/models/setnet.h"
#include "worker/models/setnet_mixing.h"

namespace windrow::worker {
namespace {

// Features whose products are made and mixed at a time: a whole number of the kernels' tiles.
constexpr std::int64_t kFeatures = 20;
// Inputs whose weights' gradients are made at a time: likewise.
constexpr std::int64_t kInputs = 10;

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
  CpuSetnet(const SetnetShape& shape, Weights& weights, const Kernels& kernels, std::int64_t shards)
      : shape_(shape),
        squared_errors_(static_cast<std::size_t>(shards)),
        kernels_(kernels),
        mixing_(shape.pool == Pool::max ? make_max_mixing(shape)
                                        : make_contrast_mixing(shape, kernels)),
        rows_(mixing_->rows()) {
    const float* values = weights.flat().const_data_ptr<float>();
    float* gradient = weights.flat_gradient().mutable_data_ptr<float>();
    std::int64_t at = 0;
    for (std::int64_t l = 0; l < shape.depth; ++l) {
      const std::int64_t in = shape.in(l), out = shape.out(l), size = in * out;
      Layer& layer = layers_.emplace_back(Layer{in, out, values + at, values + at + size,
                                                values + at + 2 * size, gradient + at,
                                                gradient + at + size, gradient + at + 2 * size});
      layer.shared.resize(size);
      widest_ = std::max({widest_, in, out});
      at += 2 * size + out;
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) add_pieces(l);
  }

  void gradient(const ChoiceSets& data, const at::Tensor& part, std::int64_t batch,
                std::int64_t shard) override {
    const std::int64_t* sets = part.const_data_ptr<std::int64_t>();
    const std::int64_t n = part.numel();
    const float scale = 2 / static_cast<float>(batch * shape_.items);
    prepare(blocks_of(n));
    for_blocks(n, [&](std::int64_t block) {
      forward(
          data, [sets](std::int64_t i) { return sets[i]; }, n, block);
      error_gradient(n, scale, block);
      backward(block);
    });
    add_errors(blocks_of(n), shard);
    weight_gradients(blocks_of(n));
  }

  void evaluate(const ChoiceSets& data, std::int64_t begin, std::int64_t end,
                std::int64_t shard) override {
    // Few enough for their activations to stay in the cache.
    const std::int64_t at_once = kLanes * std::clamp<std::int64_t>(4096 / widest_, 20, 256);
    for (std::int64_t first = begin; first < end; first += at_once) {
      const std::int64_t n = std::min(at_once, end - first);
      prepare(blocks_of(n));
      for_blocks(n, [&](std::int64_t block) {
        forward(
            data, [first](std::int64_t i) { return first + i; }, n, block);
        error_gradient(n, 0, block);
      });
      add_errors(blocks_of(n), shard);
    }
  }

  at::Tensor take_squared_errors() override {
    at::Tensor sums = at::zeros({static_cast<std::int64_t>(squared_errors_.size())}, at::kDouble);
    std::ranges::copy(squared_errors_, sums.mutable_data_ptr<double>());
    std::ranges::fill(squared_errors_, 0);
    return sums;
  }

  at::Tensor outputs(const at::Tensor& x) override {
    const std::int64_t n = x.size(0), items = shape_.items;
    const ChoiceSets data{x.contiguous(), at::zeros({n}, at::kLong)};
    prepare(blocks_of(n));
    for_blocks(n, [&](std::int64_t block) {
      forward(
          data, [](std::int64_t i) { return i; }, n, block);
    });
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
    Buffer shared = {};  // [in][out], what row 0 is multiplied by
    Buffer x = {};       // [blocks][in][rows][16], the layer's input
    // [blocks][in][items], where the ReLU before is open, a bit for each set; not of the first
    // layer.
    std::vector<std::uint16_t> open = {};
    Buffer gradient = {};  // [blocks][out][rows][16], that of its products
  };

  // Of a layer's gradient, what a thread makes at a time: kInputs inputs' rows of the weights, or
  // the biases where `first` is the number of inputs.
  struct Piece {
    std::size_t layer;
    std::int64_t first;
    std::int64_t cost_before;  // of the pieces before this one, in products of a row
  };

  static std::int64_t blocks_of(std::int64_t sets) { return (sets + kLanes - 1) / kLanes; }
  // Floats of a feature of a block.
  std::int64_t row_size() const { return rows_ * kLanes; }
  std::int64_t value_size() const { return shape_.items * kLanes; }

  // Room for that many blocks, and what depends on the weights.
  void prepare(std::int64_t blocks) {
    const float a = mixing_->lambda_share(), b = mixing_->gamma_share();
    for (Layer& layer : layers_) {
      float* shared = layer.shared.data();
      for (std::int64_t i = 0; i < layer.in * layer.out; ++i)
        shared[i] = a * layer.lambda[i] + b * layer.gamma[i];
    }
    const auto threads = static_cast<std::size_t>(at::get_num_threads());
    if (scratch_.size() < threads) {
      scratch_.resize(threads);
      for (Buffer& scratch : scratch_)
        scratch.resize(std::max(kFeatures, shape_.features) * row_size());
    }
    if (blocks <= capacity_) return;
    capacity_ = blocks;
    for (Layer& layer : layers_) {
      layer.x.resize(blocks * layer.in * row_size());
      if (&layer != &layers_.front())
        layer.open.resize(static_cast<std::size_t>(blocks * layer.in * shape_.items));
      layer.gradient.resize(blocks * layer.out * row_size());
    }
    outputs_.resize(blocks * value_size());
    choice_.resize(blocks * kLanes);
    block_error_.resize(static_cast<std::size_t>(blocks));
  }

  // Calls work(i) for i below count on all threads, each the same ones step after step: their
  // activations stay in that core's cache.
  template <class Work>
  static void for_each(std::int64_t count, Work work) {
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) work(i);
    });
  }

  // Calls work(block) for the blocks of n sets. On several threads those that don't fill a round of
  // all threads come last, and all threads share each one's products: 19 blocks on two threads
  // would else take as long as 20.
  template <class Work>
  void for_blocks(std::int64_t n, Work work) {
    const std::int64_t blocks = blocks_of(n), threads = at::get_num_threads();
    const std::int64_t alone =
        blocks > threads && worth_sharing() ? blocks - blocks % threads : blocks;
    for_each(alone, work);
    shared_ = true;
    for (std::int64_t block = alone; block < blocks; ++block) work(block);
    shared_ = false;
  }

  // Whether a layer's products for a block take much longer than to wake a thread.
  bool worth_sharing() const { return widest_ >= 100; }

  float* scratch() const { return scratch_[static_cast<std::size_t>(at::get_thread_num())].data(); }

  // Calls mix(first output, outputs, products) with the products of a block's input x for some of
  // the outputs at a time: of each feature, row 0 times `shared` and the other rows times `lambda`,
  // or times their transposes.
  template <class Mix>
  void products(const Layer& layer, bool transposed, const float* x, Mix mix) const {
    const std::int64_t all_outputs = transposed ? layer.in : layer.out;
    const std::int64_t w_output = transposed ? layer.out : 1;
    const auto some = [&](std::int64_t chunk) {
      const std::int64_t first = chunk * kFeatures;
      float* y = scratch();
      ProductArguments a{.rows = rows_ - 1,
                         .inputs = transposed ? layer.out : layer.in,
                         .outputs = std::min(kFeatures, all_outputs - first),
                         .x = x + kLanes,
                         .x_input = row_size(),
                         .x_row = kLanes,
                         .w = layer.lambda + first * w_output,
                         .w_input = transposed ? 1 : layer.out,
                         .w_output = w_output,
                         .y = y + kLanes,
                         .y_output = row_size(),
                         .y_row = kLanes};
      kernels_.product(a);
      a.rows = 1;
      a.x = x;
      a.w = layer.shared.data() + first * w_output;
      a.y = y;
      kernels_.product(a);
      mix(first, a.outputs, y);
    };
    const std::int64_t chunks = (all_outputs + kFeatures - 1) / kFeatures;
    if (shared_) return for_each(chunks, some);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) some(chunk);
  }

  // Outputs of the block's sets, set_of(0) .. set_of(n - 1) of `data`.
  template <class SetOf>
  void forward(const ChoiceSets& data, SetOf set_of, std::int64_t n, std::int64_t block) {
    gather(data, set_of, n, block);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      const float* x = layer.x.data() + block * layer.in * row_size();
      if (l + 1 == layers_.size()) {
        float* outputs = outputs_.data() + block * value_size();
        products(layer, false, x, [&](std::int64_t, std::int64_t, const float* y) {
          mixing_->values_of(1, y, layer.bias, outputs);
        });
        return;
      }
      Layer& next = layers_[l + 1];
      products(layer, false, x, [&](std::int64_t first, std::int64_t features, const float* y) {
        const std::int64_t at = block * next.in + first;
        mixing_->relu(features, y, layer.bias + first, next.open.data() + at * shape_.items,
                      next.x.data() + at * row_size());
      });
    }
  }

  template <class SetOf>
  void gather(const ChoiceSets& data, SetOf set_of, std::int64_t n, std::int64_t block) {
    const std::int64_t items = shape_.items, features = shape_.features, size = items * features;
    const float* x = data.x.const_data_ptr<float>();
    const std::int64_t* choice = data.choice.const_data_ptr<std::int64_t>();
    // The sets of a batch lie anywhere in memory: those of the next block are asked for now.
    for (std::int64_t at = (block + 1) * kLanes; at < std::min(n, (block + 2) * kLanes); ++at) {
      const std::int64_t set = set_of(at);
      __builtin_prefetch(choice + set);
      for (std::int64_t i = 0; i < size; i += kLanes) __builtin_prefetch(x + set * size + i);
      __builtin_prefetch(x + (set + 1) * size - 1);
    }
    float* values = scratch();
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t at = block * kLanes + lane;
      // Lanes behind the last set repeat it; their errors are not counted.
      const std::int64_t set = set_of(std::min(at, n - 1));
      choice_.data()[at] = static_cast<float>(choice[set]);
      const float* from = x + set * size;
      for (std::int64_t i = 0; i < items; ++i)
        for (std::int64_t k = 0; k < features; ++k)
          values[(k * items + i) * kLanes + lane] = from[i * features + k];
    }
    mixing_->rows_of(features, values, layers_[0].x.data() + block * features * row_size());
  }

  // The squared error of those of the first n sets that are in the block, and the gradient of the
  // last layer's products: of `scale` times the difference.
  void error_gradient(std::int64_t n, float scale, std::int64_t block) {
    const std::int64_t used = std::min(kLanes, n - block * kLanes);
    const float* choice = choice_.data() + block * kLanes;
    const float* output = outputs_.data() + block * value_size();
    float* gradient = scratch();
    float lanes[kLanes] = {};
    for (std::int64_t i = 0; i < shape_.items; ++i) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const float target = choice[lane] == static_cast<float>(i) ? 1 : 0;
        const float difference = output[i * kLanes + lane] - target;
        lanes[lane] += difference * difference;
        gradient[i * kLanes + lane] = lane < used ? scale * difference : 0;
      }
    }
    double error = 0;
    for (std::int64_t lane = 0; lane < used; ++lane) error += lanes[lane];
    block_error_[static_cast<std::size_t>(block)] = error;
    if (scale != 0)
      mixing_->gradient_rows(1, gradient, layers_.back().gradient.data() + block * row_size());
  }

  // In the blocks' order, whatever thread made them.
  void add_errors(std::int64_t blocks, std::int64_t shard) {
    for (std::int64_t b = 0; b < blocks; ++b)
      squared_errors_[static_cast<std::size_t>(shard)] += block_error_[static_cast<std::size_t>(b)];
  }

  // The gradients of all layers' products, from that of the last one.
  void backward(std::int64_t block) {
    for (std::size_t l = layers_.size() - 1; l > 0; --l) {
      const Layer &layer = layers_[l], &before = layers_[l - 1];
      products(layer, true, layer.gradient.data() + block * layer.out * row_size(),
               [&](std::int64_t first, std::int64_t features, const float* y) {
                 const std::int64_t at = block * layer.in + first;
                 mixing_->gate(features, y, layer.x.data() + at * row_size(),
                               layer.open.data() + at * shape_.items,
                               before.gradient.data() + at * row_size());
               });
    }
  }

  // Of all layers at once, so that threads wait for one another once; each takes pieces of about
  // the same cost.
  void weight_gradients(std::int64_t blocks) {
    const std::int64_t threads = at::get_num_threads();
    for_each(threads, [&](std::int64_t thread) {
      for (const Piece& piece : pieces_) {
        if (piece.cost_before * threads / cost_ != thread) continue;
        Layer& layer = layers_[piece.layer];
        if (piece.first == layer.in)
          bias_gradient(layer, blocks);
        else
          weight_gradients(layer, piece.first, std::min(layer.in, piece.first + kInputs), blocks);
      }
    });
  }

  void weight_gradients(Layer& layer, std::int64_t first, std::int64_t last, std::int64_t blocks) {
    const std::int64_t in = layer.in, out = layer.out;
    kernels_.outer({.blocks = blocks,
                    .rows = rows_,
                    .first_input = first,
                    .last_input = last,
                    .outputs = out,
                    .x = layer.x.data(),
                    .x_block = in * row_size(),
                    .x_input = row_size(),
                    .y = layer.gradient.data(),
                    .y_block = out * row_size(),
                    .y_output = row_size(),
                    .w = layer.lambda_gradient,
                    .head = layer.gamma_gradient,
                    .w_has_head = mixing_->lambda_share() != 0});
    const float share = mixing_->gamma_share();
    if (share == 1) return;
    for (std::int64_t i = first * out; i < last * out; ++i) layer.gamma_gradient[i] *= share;
  }

  void bias_gradient(Layer& layer, std::int64_t blocks) {
    const std::int64_t out = layer.out;
    const float* gradient = layer.gradient.data();
    for (std::int64_t o = 0; o < out; ++o) {
      float lanes[kLanes] = {};
      for (std::int64_t b = 0; b < blocks; ++b)
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          lanes[lane] += gradient[(b * out + o) * row_size() + lane];
      float sum = 0;
      for (const float lane : lanes) sum += lane;
      layer.bias_gradient[o] = mixing_->bias_share() * sum;
    }
  }

  void add_pieces(std::size_t l) {
    const Layer& layer = layers_[l];
    const auto add = [&](std::int64_t first, std::int64_t inputs) {
      pieces_.push_back({l, first, cost_});
      cost_ += inputs * layer.out;
    };
    for (std::int64_t first = 0; first < layer.in; first += kInputs)
      add(first, std::min(kInputs, layer.in - first));
    add(layer.in, 1);
  }

  SetnetShape shape_;
  std::vector<double> squared_errors_;  // a shard each
  const Kernels& kernels_;
  std::unique_ptr<Mixing> mixing_;
  std::int64_t rows_;
  std::vector<Layer> layers_;
  std::vector<Piece> pieces_;
  std::int64_t cost_ = 0;        // of all pieces
  bool shared_ = false;          // all threads work on one block
  std::int64_t widest_ = 0;      // features
  std::int64_t capacity_ = 0;    // blocks that the buffers hold
  std::vector<Buffer> scratch_;  // of each thread: products or values of some features of a block
  Buffer outputs_;               // [blocks][items][16]
  Buffer choice_;                // [blocks][16], as numbers of items
  std::vector<double> block_error_;
};

}  // namespace

std::unique_ptr<Setnet> make_cpu_setnet(const SetnetShape& shape, Weights& weights,
                                        const Kernels& kernels, std::int64_t shards) {
  return std::make_unique<CpuSetnet>(shape, weights, kernels, shards);
}

}  // namespace windrow::worker
