// resnet (study P2, model 3): the residual networks of He et al. 2015
// (arXiv:1512.03385, section 4.2) for CIFAR-10. Depth 6n + 2: a 3x3 convolution
// of 16 channels, then stages of 16, 32 and 64 channels with n residual blocks
// of two 3x3 convolutions each, global average pooling, 10 outputs. Every
// convolution has batch normalisation; the first of the later stages has
// stride 2. Depth 20 has 269,722 parameters.
//
// Where a stage begins, the shortcut takes every second pixel and pads the new
// channels with zeros (the paper's option A): it is what the paper uses on
// CIFAR-10, it adds no parameters, so that the counts are the published ones
// (0.27 million at depth 20), and it costs no convolution.
//
// Dropout lies between the two convolutions of each block (Zagoruyko and
// Komodakis 2016), where it leaves the shortcut as it is.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/slice.h>

#include <vector>

#include "worker/models/dropout.h"
#include "worker/models/image_model.h"
#include "worker/models/layers.h"

namespace windrow::worker {
namespace {

struct Block {
  ConvNorm first, second;
};

// x [n, c, h, w] to [n, 2c, h/2, w/2]: option A, channels last in memory.
at::Tensor halved(const at::Tensor& x) {
  const at::Tensor pixels = x.slice(2, 0, std::nullopt, 2).slice(3, 0, std::nullopt, 2);
  const std::int64_t added = x.size(1) / 2;
  return at::constant_pad_nd(pixels, {0, 0, 0, 0, added, added})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

class Resnet final : public ImageModel {
 public:
  Resnet(std::int64_t depth, double dropout_rate, LayerMaker layers)
      : dropout_rate_(dropout_rate), first_(layers.conv_norm("conv", 3, 16, 3)) {
    std::int64_t in = 16;
    for (const std::int64_t out : {16, 32, 64})
      for (std::int64_t i = 0; i < (depth - 2) / 6; ++i) {
        const std::string name = "stage" + std::to_string(out) + ".block" + std::to_string(i + 1);
        const std::int64_t stride = out == in ? 1 : 2;
        blocks_.push_back({layers.conv_norm(name + ".conv1", in, out, 3, stride),
                           layers.conv_norm(name + ".conv2", out, out, 3)});
        in = out;
      }
    output_ = layers.linear("output", in, 10);
  }

  at::Tensor forward(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = first_.forward(images, pass, Finish::relu);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = blocks_[i];
      at::Tensor y = block.first.forward(x, pass, Finish::relu);
      if (pass.training) y = dropout(y, dropout_rate_, pass.dropout_stream(i), pass.first_image);
      const at::Tensor shortcut = block.first.stride == 1 ? x : halved(x);
      x = block.second.forward(y, pass, Finish::relu, shortcut);
    }
    return output_.forward(x.mean({2, 3}), pass);
  }

 private:
  double dropout_rate_;
  ConvNorm first_;
  std::vector<Block> blocks_;
  Linear output_;
};

}  // namespace

std::unique_ptr<ImageModel> make_resnet(const Parameters& parameters, Weights& weights) {
  return std::make_unique<Resnet>(parameters.integer("depth"), parameters.number("dropout"),
                                  LayerMaker(parameters, weights));
}

}  // namespace windrow::worker
