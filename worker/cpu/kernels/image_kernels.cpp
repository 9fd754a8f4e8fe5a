#include "worker/cpu/kernels/image_kernels.h"

#include <cstring>

namespace windrow::worker {

extern const ImageKernels kImageKernels_baseline;
#ifdef WINDROW_X86_KERNELS
extern const ImageKernels kImageKernels_avx2;
extern const ImageKernels kImageKernels_avx512;
#endif

const ImageKernels& image_kernels_of([[maybe_unused]] const Kernels& kernels) {
#ifdef WINDROW_X86_KERNELS
  if (!std::strcmp(kernels.name, "avx512")) return kImageKernels_avx512;
  if (!std::strcmp(kernels.name, "avx2")) return kImageKernels_avx2;
#endif
  return kImageKernels_baseline;
}

const ImageKernels& best_image_kernels() {
  static const ImageKernels& best = image_kernels_of(best_kernels());
  return best;
}

}  // namespace windrow::worker
