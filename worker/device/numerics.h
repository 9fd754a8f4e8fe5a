// What floating point means in an attempt: said outright, since libraries' defaults differ by
// device (a GPU's convolutions round their inputs to TF32 unless told otherwise) and depend on what
// ran before.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace windrow::worker {

enum class Precision {
  float32,  // throughout
  tf32,     // a GPU's products round their inputs to 10 bits of mantissa, and add in float
  bf16,     // forward passes in bfloat16 where autocast says so; weights, moments and sums in float
};
Precision precision_from_name(const std::string& name);  // throws TrainerError{spec}

// Sets the process's numerics for an attempt: precision, deterministic algorithms of cuDNN, none
// chosen by timing. Throws TrainerError{spec} where the device can't compute so.
void declare_numerics(at::Device device, Precision precision);

// Forward passes within its life are in the precision.
class PrecisionScope {
 public:
  PrecisionScope(at::Device device, Precision precision);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  bool autocast_;
};

}  // namespace windrow::worker
