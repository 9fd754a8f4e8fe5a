// The C library's memory allocator, as a trainer wants it.
#pragma once

namespace windrow::worker {

// Keeps freed memory in the process. Each step allocates activations of many megabytes; given back
// to the system and taken anew, every page of them would be cleared by the kernel each time.
void keep_freed_memory();

}  // namespace windrow::worker
