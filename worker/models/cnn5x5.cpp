// cnn5x5 (study P1): three 5x5 stride-1 'same' convolutions (32, 64, 128 channels), each with ReLU,
// 2x2 max-pooling and dropout; 1000 fully connected units with ReLU; 10 outputs: 2,317,634
// parameters. Weights begin Glorot uniform, biases at 0, as Keras' do.
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include "worker/cpu/ops/conv2d.h"
#include "worker/cpu/ops/pooling.h"
#include "worker/models/dropout.h"
#include "worker/models/image_model.h"

namespace windrow::worker {
namespace {

class Cnn5x5 final : public ImageModel {
 public:
  Cnn5x5(double dropout_rate, Weights& weights) : dropout_rate_(dropout_rate) {
    std::int64_t in = 3;
    for (const std::int64_t out : {32, 64, 128}) {
      const std::string name = "conv" + std::to_string(convolutions_.size() + 1);
      convolutions_.push_back(
          {weights.add_glorot(name + ".weight", {out, in, 5, 5}, in * 25, out * 25),
           weights.add_zeros(name + ".bias", {out})});
      in = out;
    }
    hidden_ = {weights.add_glorot("hidden.weight", {1000, in * 16}, in * 16, 1000),
               weights.add_zeros("hidden.bias", {1000})};
    output_ = {weights.add_glorot("output.weight", {10, 1000}, 1000, 10),
               weights.add_zeros("output.bias", {10})};
  }

  at::Tensor forward(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = images;
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      x = conv2d(x, convolutions_[i].weight, convolutions_[i].bias);
      x = relu_max_pool2(x);
      if (pass.training) x = dropout(x, dropout_rate_, pass.dropout_stream(i), pass.first_image);
    }
    x = at::relu(at::linear(x.flatten(1), hidden_.weight, hidden_.bias));
    return at::linear(x, output_.weight, output_.bias);
  }

 private:
  struct Layer {
    at::Tensor weight, bias;
  };
  double dropout_rate_;
  std::vector<Layer> convolutions_;
  Layer hidden_, output_;
};

}  // namespace

std::unique_ptr<ImageModel> make_cnn5x5(const Parameters& parameters, Weights& weights) {
  return std::make_unique<Cnn5x5>(parameters.number("dropout"), weights);
}

}  // namespace windrow::worker
