#include "worker/cpu/kernels/kernels.h"

namespace windrow::worker {

extern const Kernels kKernels_baseline;
#ifdef WINDROW_X86_KERNELS
extern const Kernels kKernels_avx2;
extern const Kernels kKernels_avx512;
#endif

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> available;
#ifdef WINDROW_X86_KERNELS
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    available.push_back(&kKernels_avx512);
  if (avx2) available.push_back(&kKernels_avx2);
#endif
  available.push_back(&kKernels_baseline);
  return available;
}

const Kernels& best_kernels() {
  static const Kernels& best = *available_kernels().front();
  return best;
}

}  // namespace windrow::worker
