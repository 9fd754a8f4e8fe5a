// resnet9 (study P2, model 2), the small residual network that is common for
// CIFAR-10 (after Page 2018, "How to train your ResNet"): 3x3 convolutions with
// batch normalisation and ReLU of 64 and, with pooling, 128 channels; a
// residual block of 128; 256 and 512 with pooling; a residual block of 512; 4x4
// max-pooling, dropout; 10 outputs: 6,573,130 parameters.
#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d.h>

#include "worker/cpu/ops/pooling.h"
#include "worker/models/dropout.h"
#include "worker/models/image_model.h"
#include "worker/models/layers.h"

namespace windrow::worker {
namespace {

// x + relu(conv(relu(conv(x)))): the sum comes after the last ReLU, as this
// network has it.
struct Residual {
  ConvNorm first, second;

  at::Tensor forward(const at::Tensor& x, const Pass& pass) const {
    const at::Tensor y = first.forward(x, pass, Finish::relu);
    return x + second.forward(y, pass, Finish::relu);
  }
};

Residual make_residual(LayerMaker& layers, const std::string& name, std::int64_t channels) {
  return {layers.conv_norm(name + ".conv1", channels, channels, 3),
          layers.conv_norm(name + ".conv2", channels, channels, 3)};
}

class Resnet9 final : public ImageModel {
 public:
  Resnet9(double dropout_rate, LayerMaker layers)
      : dropout_rate_(dropout_rate),
        conv64_(layers.conv_norm("conv64", 3, 64, 3)),
        conv128_(layers.conv_norm("conv128", 64, 128, 3)),
        residual128_(make_residual(layers, "residual128", 128)),
        conv256_(layers.conv_norm("conv256", 128, 256, 3)),
        conv512_(layers.conv_norm("conv512", 256, 512, 3)),
        residual512_(make_residual(layers, "residual512", 512)),
        output_(layers.linear("output", 512, 10)) {}

  at::Tensor forward(const at::Tensor& images, const Pass& pass) override {
    // A convolution's ReLU comes with the pooling that follows it.
    const auto pooled = [&](const ConvNorm& layer, const at::Tensor& x) {
      return relu_max_pool2(layer.forward(x, pass, Finish::none));
    };
    at::Tensor x = pooled(conv128_, conv64_.forward(images, pass, Finish::relu));
    x = residual128_.forward(x, pass);
    x = pooled(conv512_, pooled(conv256_, x));
    x = at::max_pool2d(residual512_.forward(x, pass), 4).flatten(1);
    if (pass.training) x = dropout(x, dropout_rate_, pass.dropout_stream(0), pass.first_image);
    return output_.forward(x, pass);
  }

 private:
  double dropout_rate_;
  ConvNorm conv64_, conv128_;
  Residual residual128_;
  ConvNorm conv256_, conv512_;
  Residual residual512_;
  Linear output_;
};

}  // namespace

std::unique_ptr<ImageModel> make_resnet9(const Parameters& parameters, Weights& weights) {
  return std::make_unique<Resnet9>(parameters.number("dropout"), LayerMaker(parameters, weights));
}

}  // namespace windrow::worker
