#include <cmath>
#include <vector>

#include "worker/models/setnet_mixing.h"

namespace windrow::worker {
namespace {

class ContrastMixing final : public Mixing {
 public:
  ContrastMixing(const SetnetShape& shape, const Kernels& kernels)
      : items_(shape.items), sum_(shape.pool == Pool::sum), kernels_(kernels) {
    scale_.push_back(static_cast<float>(1 / std::sqrt(static_cast<double>(items_))));
    for (std::int64_t j = 1; j < items_; ++j)
      scale_.push_back(static_cast<float>(1 / std::sqrt(static_cast<double>(j * (j + 1)))));
  }

  std::int64_t rows() const override { return items_; }
  float lambda_share() const override { return 1; }
  float gamma_share() const override { return sum_ ? static_cast<float>(items_) : 1; }
  float bias_share() const override { return std::sqrt(static_cast<float>(items_)); }

  void rows_of(std::int64_t features, const float* values, float* rows) const override {
    ContrastArguments a = arguments(features, values, rows);
    kernels_.to_contrasts(a);
  }

  void values_of(std::int64_t features, const float* products, const float* bias,
                 float* values) const override {
    ContrastArguments a = arguments(features, products, values);
    a.bias = bias;
    kernels_.from_contrasts(a);
  }

  void relu(std::int64_t features, const float* products, const float* bias, std::uint16_t* open,
            float* rows) const override {
    ContrastArguments a = arguments(features, products, rows);
    a.bias = bias;
    a.opened = open;
    kernels_.relu_contrasts(a);
  }

  void gradient_rows(std::int64_t features, const float* gradient, float* rows) const override {
    rows_of(features, gradient, rows);
  }

  void gate(std::int64_t features, const float* rows_gradient, const float*,
            const std::uint16_t* open, float* rows) const override {
    ContrastArguments a = arguments(features, rows_gradient, rows);
    a.open = open;
    kernels_.gate_contrasts(a);
  }

 private:
  ContrastArguments arguments(std::int64_t features, const float* in, float* out) const {
    return {.features = features, .items = items_, .scale = scale_.data(), .in = in, .out = out};
  }

  std::int64_t items_;
  bool sum_;
  const Kernels& kernels_;
  std::vector<float> scale_;
};

}  // namespace

std::unique_ptr<Mixing> make_contrast_mixing(const SetnetShape& shape, const Kernels& kernels) {
  return std::make_unique<ContrastMixing>(shape, kernels);
}

}  // namespace windrow::worker
