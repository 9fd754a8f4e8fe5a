#include "worker/device/host_memory.h"

#include <malloc.h>

#include <climits>

namespace windrow::worker {

void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, INT_MAX);
  ::mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

}  // namespace windrow::worker
