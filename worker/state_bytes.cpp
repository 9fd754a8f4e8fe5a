#include "worker/state_bytes.h"

#include <ATen/ops/from_blob.h>

#include "protocol/hash.h"

namespace windrow::worker {

std::vector<std::string> bytes_of(const std::vector<at::Tensor>& tensors) {
  std::vector<std::string> blobs;
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor host = tensor.to(at::kCPU).contiguous();
    blobs.emplace_back(static_cast<const char*>(host.const_data_ptr()), host.nbytes());
  }
  return blobs;
}

std::string state_hash(const std::vector<std::string>& blobs) {
  protocol::Hasher hasher;
  for (const std::string& blob : blobs) hasher.update(blob);
  return hasher.hex();
}

bool load_bytes(const std::vector<std::string>& blobs, std::size_t first,
                const std::vector<at::Tensor>& tensors) {
  if (blobs.size() < first + tensors.size()) return false;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (blobs[first + i].size() != tensors[i].nbytes()) return false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    // from_blob takes a pointer to non-const, but is only read from.
    void* data = const_cast<char*>(blobs[first + i].data());
    tensors[i].copy_(at::from_blob(data, tensors[i].sizes(), tensors[i].scalar_type()));
  }
  return true;
}

}  // namespace windrow::worker
