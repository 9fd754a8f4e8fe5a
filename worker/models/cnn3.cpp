// cnn3 (study P2, model 1): three blocks of 32, 64 and 128 channels, each two
// 3x3 convolutions with batch normalisation and ReLU, then 2x2 max-pooling and
// dropout; 128 fully connected units with ReLU; 10 outputs: 551,018 parameters.
#include <ATen/ops/relu.h>

#include <vector>

#include "worker/cpu/ops/pooling.h"
#include "worker/models/dropout.h"
#include "worker/models/image_model.h"
#include "worker/models/layers.h"

namespace windrow::worker {
namespace {

class Cnn3 final : public ImageModel {
 public:
  Cnn3(double dropout_rate, LayerMaker layers) : dropout_rate_(dropout_rate) {
    std::int64_t in = 3;
    for (const std::int64_t out : {32, 64, 128}) {
      const std::string name = "block" + std::to_string(blocks_.size() + 1);
      blocks_.push_back({layers.conv_norm(name + ".conv1", in, out, 3),
                         layers.conv_norm(name + ".conv2", out, out, 3)});
      in = out;
    }
    hidden_ = layers.linear("hidden", in * 16, 128);
    output_ = layers.linear("output", 128, 10);
  }

  at::Tensor forward(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = images;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      x = blocks_[i].first.forward(x, pass, Finish::relu);
      // Its ReLU comes with the pooling.
      x = relu_max_pool2(blocks_[i].second.forward(x, pass, Finish::none));
      if (pass.training) x = dropout(x, dropout_rate_, pass.dropout_stream(i), pass.first_image);
    }
    return output_.forward(at::relu(hidden_.forward(x.flatten(1), pass)), pass);
  }

 private:
  struct Block {
    ConvNorm first, second;
  };
  double dropout_rate_;
  std::vector<Block> blocks_;
  Linear hidden_, output_;
};

}  // namespace

std::unique_ptr<ImageModel> make_cnn3(const Parameters& parameters, Weights& weights) {
  return std::make_unique<Cnn3>(parameters.number("dropout"), LayerMaker(parameters, weights));
}

}  // namespace windrow::worker
