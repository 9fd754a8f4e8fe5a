// The image models' definitions, written out by PyTorch's own operators, one layer a line.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "worker/models/image_model.h"

namespace windrow::worker::test {

class ReferenceModel {
 public:
  // The model of the parameters; resnet of the depth that its weights have. Weights and running
  // statistics begin as those of `weights` are.
  ReferenceModel(const Parameters& parameters, const Weights& weights);

  at::Tensor forward(const at::Tensor& images, const Pass& pass);

  // Goes on with the values that the weights given to the constructor have now.
  void take_values();

  // The trainable ones by name, those that a forward pass has used.
  const std::map<std::string, at::Tensor>& leaves() const { return leaves_; }

 private:
  const at::Tensor& leaf(const std::string& name);
  const at::Tensor& statistic(const std::string& name);
  at::Tensor conv(const std::string& name, const at::Tensor& x, std::int64_t stride = 1);
  at::Tensor conv_norm(const std::string& name, const at::Tensor& x, std::int64_t stride = 1);
  at::Tensor linear(const std::string& name, const at::Tensor& x);
  at::Tensor dropped(const at::Tensor& x, std::uint64_t layer);
  at::Tensor residual(const std::string& name, const at::Tensor& x);

  at::Tensor cnn5x5(at::Tensor x);
  at::Tensor cnn3(at::Tensor x);
  at::Tensor resnet9(at::Tensor x);
  at::Tensor resnet(at::Tensor x);

  std::string name_;
  double dropout_rate_, norm_momentum_ = 0, norm_epsilon_ = 0;
  const Weights& weights_;
  Pass pass_;
  std::map<std::string, at::Tensor> leaves_, statistics_;
};

}  // namespace windrow::worker::test
