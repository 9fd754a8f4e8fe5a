// cnn5x5 (study P1): three 5x5 stride-1 'same' convolutions (32, 64, 128 channels), each with ReLU,
// 2x2 max-pooling and dropout; 1000 fully connected units with ReLU; 10 outputs: 2,317,634
// parameters.
#include <ATen/ops/relu.h>

#include <vector>

#include "worker/cpu/ops/conv2d.h"
#include "worker/cpu/ops/pooling.h"
#include "worker/models/dropout.h"
#include "worker/models/image_model.h"
#include "worker/models/layers.h"

namespace windrow::worker {
namespace {

class Cnn5x5 final : public ImageModel {
 public:
  Cnn5x5(double dropout_rate, LayerMaker layers) : dropout_rate_(dropout_rate) {
    std::int64_t in = 3;
    for (const std::int64_t out : {32, 64, 128}) {
      const std::string name = "conv" + std::to_string(convolutions_.size() + 1);
      convolutions_.push_back(layers.conv(name, in, out, 5));
      in = out;
    }
    hidden_ = layers.linear("hidden", in * 16, 1000);
    output_ = layers.linear("output", 1000, 10);
  }

  at::Tensor forward(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = images;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      x = conv2d(x, convolutions_[i].weight, convolutions_[i].bias);
      x = relu_max_pool2(x);
      if (pass.training) x = dropout(x, dropout_rate_, pass.dropout_stream(i), pass.first_image);
    }
    return output_.forward(at::relu(hidden_.forward(x.flatten(1), pass)), pass);
  }

 private:
  double dropout_rate_;
  std::vector<Conv> convolutions_;
  Linear hidden_, output_;
};

}  // namespace

std::unique_ptr<ImageModel> make_cnn5x5(const Parameters& parameters, Weights& weights) {
  return std::make_unique<Cnn5x5>(parameters.number("dropout"), LayerMaker(parameters, weights));
}

}  // namespace windrow::worker
