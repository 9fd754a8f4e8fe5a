// What setnet on the CPU does to the items of a set between the matrix products of its layers.
//
// A layer y[i] = x[i] Λ + pool(x) Γ + bias is taken as products of rows: row 0 of a set with the
// shared weights Θ, the others with Λ. A mixing makes rows of items' values and values of products:
//   mean, sum  the rows are the items' contrasts, Helmert's: row 0 is their sum over the root of
//              their number, the other items-1 rows see Λ alone, and Θ is Λ + Γ (sum: Λ + items Γ).
//              So `items` products do what is items + 1 by the definition, and as the transform is
//              orthonormal, gradients go through the same transform.
//   max        row 0 is the largest value, rows 1 .. items are the values; Θ is Γ.
//
// Of a block of 16 sets: values are [features][items][16], rows and products [features][rows][16].
#pragma once

#include <cstdint>
#include <memory>

#include "worker/cpu/kernels/kernels.h"
#include "worker/models/setnet.h"

namespace windrow::worker {

class Mixing {
 public:
  virtual ~Mixing() = default;

  virtual std::int64_t rows() const = 0;  // of a feature of a set
  // Θ = a Λ + b Γ; the gradient of Γ is b times the product of the rows 0, and that of Λ is the
  // product of all rows, with or without those.
  virtual float lambda_share() const = 0;
  virtual float gamma_share() const = 0;
  // The gradient of the bias is this times the sum of the gradients' rows 0.
  virtual float bias_share() const = 0;

  virtual void rows_of(std::int64_t features, const float* values, float* rows) const = 0;
  virtual void values_of(std::int64_t features, const float* products, const float* bias,
                         float* values) const = 0;
  // Products, bias and ReLU of a layer: the next one's input as rows, and where the ReLU is open,
  // [features][items] with a bit for each set.
  virtual void relu(std::int64_t features, const float* products, const float* bias,
                    std::uint16_t* open, float* rows) const = 0;

  // The gradient of products from that of the values they give.
  virtual void gradient_rows(std::int64_t features, const float* gradient, float* rows) const = 0;
  // Backward through the ReLU that gave the rows `x` and `open`; then as gradient_rows.
  virtual void gate(std::int64_t features, const float* rows_gradient, const float* x,
                    const std::uint16_t* open, float* rows) const = 0;
};

// `kernels` must outlive it.
std::unique_ptr<Mixing> make_contrast_mixing(const SetnetShape& shape, const Kernels& kernels);
std::unique_ptr<Mixing> make_max_mixing(const SetnetShape& shape);

}  // namespace windrow::worker
