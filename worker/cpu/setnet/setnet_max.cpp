#include <algorithm>

#include "worker/models/setnet_mixing.h"

namespace windrow::worker {
namespace {

class MaxMixing final : public Mixing {
 public:
  explicit MaxMixing(const SetnetShape& shape) : items_(shape.items) {}

  std::int64_t rows() const override { return items_ + 1; }
  float lambda_share() const override { return 0; }
  float gamma_share() const override { return 1; }
  float bias_share() const override { return 1; }

  void rows_of(std::int64_t features, const float* values, float* rows) const override {
    for (std::int64_t f = 0; f < features; ++f) {
      const float* from = values + f * items_ * kLanes;
      float* to = rows + f * (items_ + 1) * kLanes;
      std::copy(from, from + items_ * kLanes, to + kLanes);
      largest_item(to);
    }
  }

  void values_of(std::int64_t features, const float* products, const float* bias,
                 float* values) const override {
    for (std::int64_t f = 0; f < features; ++f) {
      const float* from = products + f * (items_ + 1) * kLanes;
      float* to = values + f * items_ * kLanes;
      for (std::int64_t i = 0; i < items_; ++i)
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          to[i * kLanes + lane] = from[lane] + from[(i + 1) * kLanes + lane] + bias[f];
    }
  }

  void relu(std::int64_t features, const float* products, const float* bias, std::uint16_t*,
            float* rows) const override {
    for (std::int64_t f = 0; f < features; ++f) {
      const float* from = products + f * (items_ + 1) * kLanes;
      float* to = rows + f * (items_ + 1) * kLanes;
      for (std::int64_t i = 1; i <= items_; ++i)
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
          const float value = from[lane] + from[i * kLanes + lane] + bias[f];
          to[i * kLanes + lane] = value < 0 ? 0 : value;  // a NaN stays one: the loss shows it
        }
      largest_item(to);
    }
  }

  void gradient_rows(std::int64_t features, const float* gradient, float* rows) const override {
    for (std::int64_t f = 0; f < features; ++f) {
      const float* from = gradient + f * items_ * kLanes;
      float* to = rows + f * (items_ + 1) * kLanes;
      std::copy(from, from + items_ * kLanes, to + kLanes);
      sum_items(to);
    }
  }

  // The first of equal items was the largest one.
  void gate(std::int64_t features, const float* rows_gradient, const float* x, const std::uint16_t*,
            float* rows) const override {
    for (std::int64_t f = 0; f < features; ++f) {
      const std::int64_t at = f * (items_ + 1) * kLanes;
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        gate_lane(rows_gradient + at + lane, x + at + lane, rows + at + lane);
      sum_items(rows + at);
    }
  }

 private:
  void gate_lane(const float* from, const float* x, float* to) const {
    bool not_found = true;
    for (std::int64_t i = 1; i <= items_; ++i) {
      const bool is_largest = not_found && x[i * kLanes] == x[0];
      const float gradient = from[i * kLanes] + (is_largest ? from[0] : 0);
      to[i * kLanes] = x[i * kLanes] > 0 ? gradient : 0;
      not_found = not_found && !is_largest;
    }
  }

  // Row 0 = the largest of the others.
  void largest_item(float* rows) const {
    std::copy(rows + kLanes, rows + 2 * kLanes, rows);
    for (std::int64_t i = 2; i <= items_; ++i)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        rows[lane] = std::max(rows[lane], rows[i * kLanes + lane]);
  }

  // Row 0 = the sum of the others.
  void sum_items(float* rows) const {
    std::fill(rows, rows + kLanes, 0.0F);
    for (std::int64_t i = 1; i <= items_; ++i)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) rows[lane] += rows[i * kLanes + lane];
  }

  std::int64_t items_;
};

}  // namespace

std::unique_ptr<Mixing> make_max_mixing(const SetnetShape& shape) {
  return std::make_unique<MaxMixing>(shape);
}

}  // namespace windrow::worker
