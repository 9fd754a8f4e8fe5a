#include "worker/device/numerics.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "worker/device/device.h"
#include "worker/trainer_error.h"

namespace windrow::worker {

using protocol::TrainerFailure;

Precision precision_from_name(const std::string& name) {
  if (name == "float32") return Precision::float32;
  if (name == "tf32") return Precision::tf32;
  if (name == "bf16") return Precision::bf16;
  throw TrainerError(TrainerFailure::spec,
                     "the precision is \"" + name + "\"; a trainer knows float32, tf32 and bf16");
}

void declare_numerics(at::Device device, Precision precision) {
  if (precision != Precision::float32 && !has_tensor_cores(device))
    throw TrainerError(TrainerFailure::spec,
                       std::string("precision ") +
                           (precision == Precision::tf32 ? "tf32" : "bf16") +
                           " needs a GPU of NVIDIA's Ampere generation or later, and this slot has "
                           "none; take float32, or run the study on such GPUs");
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  const auto products =
      precision == Precision::tf32 ? at::Float32Precision::TF32 : at::Float32Precision::IEEE;
  for (const auto op : {at::Float32Op::CONV, at::Float32Op::RNN, at::Float32Op::MATMUL})
    context.setFloat32Precision(at::Float32Backend::CUDA, op, products);
}

PrecisionScope::PrecisionScope(at::Device device, Precision precision)
    : autocast_(device.is_cuda() && precision == Precision::bf16) {
  if (!autocast_) return;
  at::autocast::set_autocast_enabled(at::kCUDA, true);
  at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
  at::autocast::increment_nesting();
}

PrecisionScope::~PrecisionScope() {
  if (!autocast_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCUDA, false);
}

}  // namespace windrow::worker
